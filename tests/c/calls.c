/* What tests/lua/calls.lua and callbacks.lua call. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Every scalar type, both ways. */
int8_t t_i8(int8_t x) { return x; }
uint8_t t_u8(uint8_t x) { return x; }
int16_t t_i16(int16_t x) { return x; }
uint16_t t_u16(uint16_t x) { return x; }
int32_t t_i32(int32_t x) { return x; }
uint32_t t_u32(uint32_t x) { return x; }
int64_t t_i64(int64_t x) { return x; }
uint64_t t_u64(uint64_t x) { return x; }
float t_f32(float x) { return x; }
double t_f64(double x) { return x; }
bool t_bool(bool x) { return x; }
const char *t_str(const char *x) { return x; }
void *t_ptr(void *x) { return x; }
enum color { RED, GREEN = 5, BLUE };
enum color t_enum(enum color x) { return x; }
int t_const_enum(enum color x) { return (int)x * 10; }

/* More arguments than registers. */
double t_ten_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
int64_t t_twenty(int8_t a, double b, uint16_t c, float d, int64_t e, bool f, double g, int32_t h, float i, uint8_t j,
                 int16_t k, double l, int64_t m, float n, int8_t o, double p, int32_t q, double r, int64_t s, double t) {
    return (int64_t)(a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 + l * 12 + m * 13 +
                     n * 14 + o * 15 + p * 16 + q * 17 + r * 18 + s * 19 + t * 20);
}

/* Variable arguments: one letter for each says its type. */
int t_format(char *out, size_t size, const char *types, ...) {
    va_list va;
    int n = 0;
    va_start(va, types);
    for (; *types; types++) {
        int left = (int)size - n;
        switch (*types) {
        case 'i': n += snprintf(out + n, left, "%d ", va_arg(va, int)); break;
        case 'u': n += snprintf(out + n, left, "%u ", va_arg(va, unsigned)); break;
        case 'l': n += snprintf(out + n, left, "%lld ", va_arg(va, long long)); break;
        case 'L': n += snprintf(out + n, left, "%llu ", va_arg(va, unsigned long long)); break;
        case 'd': n += snprintf(out + n, left, "%g ", va_arg(va, double)); break;
        case 's': { const char *s = va_arg(va, const char *); n += snprintf(out + n, left, "%s ", s ? s : "NULL"); break; }
        case 'p': n += snprintf(out + n, left, "%s ", va_arg(va, void *) ? "pointer" : "null"); break;
        }
    }
    va_end(va);
    return n;
}

/* errno. */
int t_set_errno(int e) { errno = e; return -1; }
int t_get_errno(void) { return errno; }
void *t_null_with_errno(int e) { errno = e; return NULL; }

/* Function pointers and variables. */
typedef int (*binary)(int, int);
static int add(int a, int b) { return a + b; }
static int sub(int a, int b) { return a - b; }
binary t_operator(int minus) { return minus ? sub : add; }
int t_apply(binary f, int a, int b) { return f(a, b); }
struct operations { binary add, sub; int (*format)(char *, size_t, const char *, ...); };
struct operations t_operations = { add, sub, t_format };
int t_counter = 7;
int t_table[4] = { 1, 2, 3, 4 };

/* Callbacks. */
int t_each(int n, int (*f)(int)) { int sum = 0; for (int i = 0; i < n; i++) sum += f(i); return sum; }
double t_call_ten(double (*f)(double, double, double, double, double, double, double, double, double, double)) {
    return f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
}
int64_t t_call_types(int64_t (*f)(int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, float, double, bool, const char *)) {
    return f(-1, 255, -2, 65535, -3, 4294967295u, INT64_MIN, 1.5f, 2.5, true, "text");
}
void t_call_void(void (*f)(void)) { f(); }
bool t_call_bool(bool (*f)(int), int x) { return f(x); }
const char *t_call_str(const char *(*f)(int), int x) { return f(x); }
uint8_t t_call_u8(uint8_t (*f)(void)) { return f(); }
float t_call_float(float (*f)(float), float x) { return f(x); }
enum color t_call_enum(enum color (*f)(enum color), enum color x) { return f(x); }
int t_errno_in_callback(int (*f)(void), int before) { errno = before; f(); return errno; }
static int (*kept)(int);
void t_keep(int (*f)(int)) { kept = f; }
int t_call_kept(int x) { return kept(x); }
int t_calls_after_error;
int t_count_calls(int n, int (*f)(int)) {
    t_calls_after_error = 0;
    for (int i = 0; i < n; i++) { f(i); t_calls_after_error++; }
    return t_calls_after_error;
}

/* The Microsoft convention, in this process. */
#ifdef __x86_64__
#define MS __attribute__((ms_abi))
double MS t_ms_mixed(int a, double b, int c, double d, int e, double f) { return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f; }
int t_call_ms(int (MS *f)(int, double, int, double, int, double)) { return f(1, 2, 3, 4, 5, 6); }
double MS t_ms_sum(int n, ...) {
    __builtin_ms_va_list va;
    double sum = 0;
    __builtin_ms_va_start(va, n);
    for (int i = 0; i < n; i++) sum += __builtin_va_arg(va, double);
    __builtin_ms_va_end(va);
    return sum;
}
#endif

/* By value. */
struct v_point { double x, y; };
struct v_pair { int a, b; };
struct v_mixed { double d; int i; char c[3]; };
struct v_large { int64_t n[5]; };
struct v_odd { char c[5]; };
union v_number { int64_t i; double d; };
struct v_point t_point(struct v_point p) { struct v_point r = { p.y, p.x }; return r; }
struct v_pair t_pair(struct v_pair p) { struct v_pair r = { p.b, p.a }; return r; }
struct v_mixed t_mixed(int n, struct v_mixed m, double d) { m.i += n; m.d += d; m.c[2]++; return m; }
struct v_large t_large(struct v_large l, int64_t x) { for (int i = 0; i < 5; i++) l.n[i] += x; return l; }
struct v_odd t_odd(struct v_odd o) { o.c[0]++; o.c[4]++; return o; }
union v_number t_number(union v_number n) { n.i ^= INT64_C(1) << 63; return n; }
double _Complex t_complex(double _Complex z) { return z * 2; }
float _Complex t_complexf(float _Complex z) { return z + 1; }
#ifdef __SIZEOF_INT128__
__int128 t_int128(__int128 x) { return -x; }
#endif
double t_large_after(int a, struct v_large l, double d, struct v_odd o, int b) { return a + l.n[4] + d + o.c[4] + b; }
struct v_mixed t_call_mixed(struct v_mixed (*f)(struct v_mixed, struct v_large, struct v_pair)) {
    struct v_mixed m = { 1.5, 2, "xy" };
    struct v_large l = { { 1, 2, 3, 4, 5 } };
    struct v_pair p = { 6, 7 };
    return f(m, l, p);
}
int64_t t_call_large(struct v_large (*f)(struct v_odd)) {
    struct v_odd o = { "odd!" };
    struct v_large l = f(o);
    return l.n[0] + l.n[4];
}

/* By value through `...`. */
double t_variable(const char *types, ...) {
    va_list va;
    double sum = 0;
    va_start(va, types);
    for (; *types; types++)
        switch (*types) {
        case 'p': { struct v_point p = va_arg(va, struct v_point); sum += p.x + p.y; break; }
        case 'm': { struct v_mixed m = va_arg(va, struct v_mixed); sum += m.d + m.i; break; }
        case 'l': { struct v_large l = va_arg(va, struct v_large); sum += l.n[0] + l.n[4]; break; }
        case 'L': sum += va_arg(va, long double); break;
        case 'z': { double _Complex z = va_arg(va, double _Complex); sum += __real__ z + __imag__ z; break; }
        case 'd': sum += va_arg(va, double); break;
        }
    va_end(va);
    return sum;
}

/* x87 and vectors. */
long double t_long_double(int n, long double x) { return n * x; }
long double _Complex t_complexl(long double _Complex z) { return __builtin_complex(__imag__ z, __real__ z); }
struct v_extended { long double x; };
struct v_extended t_extended(struct v_extended e) { e.x += 1; return e; }
long double t_call_extended(long double (*f)(long double, int), long double x) { return f(x, 10); }
typedef float v_float4 __attribute__((vector_size(16)));
#ifdef __SSE__
v_float4 t_vector(v_float4 v) { return (v_float4){ v[3], v[2], v[1], v[0] }; }
#endif
