/* 32-bit code for tests/guest/calls.lua: compiled freestanding, as an object file and as a shared library. */
#include <stdarg.h>

struct pair { int a, b; };
struct node { const char *name; struct node *next; double weight; };

int counter = 41;
int add(int a, int b) { return a + b; }
long long __attribute__((fastcall)) mul(long long a, int b) { return a * b; }
double __attribute__((stdcall)) half(double x) { return x / 2; }
float scale(float x, double by) { return x * by; }
long double third(long double x) { return x / 3; }
struct pair swap(struct pair p) { struct pair r = {p.b, p.a}; return r; }
unsigned length(const char *s) { unsigned n = 0; while (s[n]) n++; return n; }
_Bool negate(_Bool b) { return !b; }
int next(void) { return ++counter; }

int sum(int n, ...) {
    va_list list;
    int total = 0;
    va_start(list, n);
    while (n--) total += va_arg(list, int);
    va_end(list);
    return total;
}

double total(const struct node *n) {
    double t = 0;
    for (; n; n = n->next) t += n->weight * length(n->name);
    return t;
}

void fill(int *to, int n, int (__attribute__((stdcall)) *f)(int, void *), void *data) {
    for (int i = 0; i < n; i++) to[i] = f(i, data);
}

int descend(int (*f)(int), int n) { return f(n) + 1; }

extern int outside(int);
int use_outside(int x) { return outside(x) + 1; }
