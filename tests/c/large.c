// Values of a megabyte, and thousands of parameters.
#include <stdarg.h>
#include <stddef.h>

#ifdef __x86_64__
#define MS __attribute__((ms_abi))
#else
#define MS
#endif

typedef struct { unsigned char c[1000001]; } large;

static long weighed(const large *x) {
    long sum = 0;
    for (size_t i = 0; i < sizeof x->c; i++) sum += x->c[i] * (long)(i % 251 + 1);
    return sum;
}

static void fill(large *x, int k) {
    for (size_t i = 0; i < sizeof x->c; i++) x->c[i] = (unsigned char)(i * k);
}

long sum(int a, large x, double d) { return weighed(&x) + a + (long)d; }
MS long sum_ms(int a, large x, double d) { return weighed(&x) + a + (long)d; }
large make(int k) { large x; fill(&x, k); return x; }
MS large make_ms(int k) { large x; fill(&x, k); return x; }
long call(long (*f)(int, large, double), int k) { large x = make(k); return f(1, x, 2.0); }
MS long call_ms(MS long (*f)(int, large, double), int k) { large x = make(k); return f(1, x, 2.0); }
long call_for(large (*f)(int), int k) { large x = f(k); return weighed(&x); }

double add(int n, ...) {
    double sum = 0;
    va_list va;
    va_start(va, n);
    for (int i = 0; i < n; i++) sum += va_arg(va, double) * (i % 7 + 1);
    va_end(va);
    return sum;
}

// GCC takes minutes to optimise what follows.
#ifdef __OPTIMIZE__
#pragma GCC optimize "O0"
#endif

// 5,000 parameters, each times the number of its last digit and 1.
#define P10(t, p) t p##0, t p##1, t p##2, t p##3, t p##4, t p##5, t p##6, t p##7, t p##8, t p##9
#define P100(t, p) P10(t, p##0), P10(t, p##1), P10(t, p##2), P10(t, p##3), P10(t, p##4), P10(t, p##5), P10(t, p##6), P10(t, p##7), P10(t, p##8), P10(t, p##9)
#define P1000(t, p) P100(t, p##0), P100(t, p##1), P100(t, p##2), P100(t, p##3), P100(t, p##4), P100(t, p##5), P100(t, p##6), P100(t, p##7), P100(t, p##8), P100(t, p##9)
#define P5000(t) P1000(t, a), P1000(t, b), P1000(t, c), P1000(t, d), P1000(t, e)
#define S10(p) sum += p##0 + 2 * p##1 + 3 * p##2 + 4 * p##3 + 5 * p##4 + 6 * p##5 + 7 * p##6 + 8 * p##7 + 9 * p##8 + 10 * p##9;
#define S100(p) S10(p##0) S10(p##1) S10(p##2) S10(p##3) S10(p##4) S10(p##5) S10(p##6) S10(p##7) S10(p##8) S10(p##9)
#define S1000(p) S100(p##0) S100(p##1) S100(p##2) S100(p##3) S100(p##4) S100(p##5) S100(p##6) S100(p##7) S100(p##8) S100(p##9)
#define S5000 S1000(a) S1000(b) S1000(c) S1000(d) S1000(e)

int many(P5000(int)) { int sum = 0; S5000 return sum; }
double many_doubles(P5000(double)) { double sum = 0; S5000 return sum; }
