/* A function for each way that a value converts: it returns what it got. */
#include <stdbool.h>
#include <stdint.h>

struct point { double x, y; };
struct pair { int a, b; };
struct large { int64_t n[5]; };
struct one { char c; };
enum color { RED, GREEN = 5, BLUE = -1 };
union either { int i; double d; };

#define IDENTITY(type, name) type same_##name(type x) { return x; } type last_##name(int a, double b, const char *s, type x) { (void)a; (void)b; (void)s; return x; } type through_##name(type (*f)(type), type x) { return f(x); } int seen_##name(int (*f)(int, type, double), type x) { return f(7, x, 1.5); }

IDENTITY(bool, bool)
IDENTITY(char, char)
IDENTITY(int8_t, int8)
IDENTITY(uint8_t, uint8)
IDENTITY(int16_t, int16)
IDENTITY(uint16_t, uint16)
IDENTITY(int32_t, int32)
IDENTITY(uint32_t, uint32)
IDENTITY(int64_t, int64)
IDENTITY(uint64_t, uint64)
IDENTITY(float, float)
IDENTITY(double, double)
IDENTITY(enum color, color)
IDENTITY(char *, chars)
IDENTITY(const char *, text)
IDENTITY(void *, memory)
IDENTITY(const void *, constant_memory)
IDENTITY(int *, ints)
IDENTITY(const int *, constant_ints)
IDENTITY(int64_t *, wides)
IDENTITY(struct point *, point_pointer)
IDENTITY(const struct point *, constant_point)
IDENTITY(struct pair *, pair_pointer)
IDENTITY(const char **, texts)
IDENTITY(struct point, point)
IDENTITY(struct pair, pair)
IDENTITY(struct large, large)
IDENTITY(struct one, one)
IDENTITY(union either, either)

void nothing(void) {}
int number_of(void) { return 42; }
