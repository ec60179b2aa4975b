// The functions that the host of tests/escape.rs declares. Each function uses just the memory that its declaration in escape.h says; the
// variable `breaches` counts the calls that the library should have refused.
#include <stdarg.h>
#include <stddef.h>

int breaches;

struct handle { int value; };
struct other { int value; };
struct pair { int a, b; };
struct holder { int *p; int n; };

static struct handle the_handle = { 42 };
static struct other the_other = { 43 };
int table_of_four[4] = { 1, 2, 3, 4 };
const int constant = 5, constants[2] = { 6, 7 };

long sum(const int *p, int n) {
    long total = 0;
    for (int i = 0; i < n; i++) total += p[i];
    return total;
}
long sum_large(const int *p, long n) { return sum(p, (int)n); }
void fill_in(unsigned char *p, unsigned long n, int c) {
    for (unsigned long i = 0; i < n; i++) p[i] = (unsigned char)c;
}
unsigned long text_length(const char *s) {
    unsigned long n = 0;
    while (s[n]) n++;
    return n;
}
static int overlap(const void *a, const void *b, unsigned long n, unsigned long m) {
    return (const char *)a < (const char *)b + m && (const char *)b < (const char *)a + n;
}
void copy_apart(unsigned char *restrict to, const unsigned char *restrict from, unsigned long n) {
    if (overlap(to, from, n, n)) breaches++;
    for (unsigned long i = 0; i < n; i++) to[i] = from[i];
}
void copy_text(char *restrict to, const char *restrict from, unsigned long n) {
    if (overlap(to, from, n, text_length(from) + 1)) breaches++;
    for (unsigned long i = 0; i < n && (to[i] = from[i]); i++) { }
}
int same(const unsigned char *restrict a, const unsigned char *b) { return *a == *b; }
int first4(const int *p) { return p[0] + p[1] + p[2] + p[3]; }
int must(const int *p) { return *p; }
int uncontracted(int *p) { return breaches++, p ? *p : 0; }
int nonnull_only(int *p) { return breaches++, *p; }
int by_value(struct holder h) { return breaches++, h.n; }
int through(struct holder *h) { return breaches++, h->n; }
int pointers(int **p, int n) { return breaches++, p[n - 1] ? *p[n - 1] : 0; }
int anything(void *p) { return breaches++, p != NULL; }
const int *last(const int *p, int n) { return p + n - 1; }

struct handle *handle_open(void) { return &the_handle; }
struct other *other_open(void) { return &the_other; }
int handle_get(struct handle *h) {
    if (h != &the_handle) breaches++;
    return the_handle.value;
}
const char *name(void) { return "a name"; }
const char *trusted_name(int which) { return which == 0 ? "a word" : which == 1 ? "" : NULL; }
static struct pair the_pairs[2] = { { 7, 8 }, { 7, 8 } };
const struct pair *trusted_pair(void) { return &the_pairs[0]; }
struct pair *trusted_writable(void) { return &the_pairs[1]; }
int formatted(const char *format, ...) { return breaches++, format[0]; }

static int (*kept)(int);
int twice(int x) { return 2 * x; }
int apply(int (*f)(int), int x) { return f(x); }
void keep(int (*f)(int)) { kept = f; }
int call_kept(int x) { return kept(x); }
int with_buffer(int (*f)(const int *, int)) {
    int buffer[4] = { 1, 2, 3, 4 };
    return f(buffer, 4);
}
int hidden(void) { return breaches++; }
