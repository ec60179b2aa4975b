// Functions that leave an errno, and functions that call back and tell which errno their callback left.
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>

struct pair { long a, b; };
struct three { double a, b, c; };

void nothing_with(int e) { errno = e; }
int int_with(int e) { errno = e; return -1; }
double double_with(int e) { errno = e; return 0.5; }
unsigned long long big_with(int e) { errno = e; return ~0ull; }
const char *text_with(int e) { errno = e; return "text"; }
struct pair *pointer_with(int e) { static struct pair pair; errno = e; return &pair; }
struct pair pair_with(int e) { errno = e; return (struct pair){1, 2}; }
struct three three_with(int e) { errno = e; return (struct three){1, 2, 3}; }
int (*function_with(int e))(int) { errno = e; return int_with; }
int variadic_with(int e, ...) { errno = e; return 0; }

// Each calls `f` with errno `before`, and returns the errno that `f` left; its own is `after`.
#define AROUND(name, type, ...) \
    int name(type, int before, int after) { errno = before; f(__VA_ARGS__); int left = errno; errno = after; return left; }
AROUND(around_int, int (*f)(int), 1)
AROUND(around_double, double (*f)(double), 1.5)
AROUND(around_text, const char *(*f)(const char *), "abc")
AROUND(around_pair, struct pair (*f)(struct pair), (struct pair){3, 4})
AROUND(around_pointers, struct pair *(*f)(struct pair *, struct pair *), 0, 0)
AROUND(around_many, void (*f)(int, double, int, double, int, double, int, double, int, double), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)

struct visit { int (*f)(int); int before, left; };
static void *visit(void *data) {
    struct visit *visit = data;
    errno = visit->before;
    visit->f(1);
    visit->left = errno;
    return 0;
}
// The same on another thread.
int elsewhere(int (*f)(int), int before) {
    struct visit data = {f, before, 0};
    pthread_t thread;
    pthread_create(&thread, 0, visit, &data);
    pthread_join(thread, 0);
    return data.left;
}
