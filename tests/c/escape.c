// The functions that the host of tests/escape.rs declares. Each function uses just the memory that its declaration in escape.h says; the
// variable `breaches` counts the calls that the library should have refused.
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>

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

typedef long *pick(void);
typedef struct handle *find(void);
typedef const char *word(void);
long pick_and_read(pick *f) { long *p = f(); return p ? *p : 0; }
int find_and_use(find *f) {
    struct handle *h = f();
    if (h && h != &the_handle) breaches++;
    return h == &the_handle ? h->value : 0;
}
unsigned long word_length(word *f) { const char *s = f(); return s ? text_length(s) : 0; }
// Uses two results after both calls: neither may be gone.
unsigned long word_pair(word *f) {
    const char *a = f(), *b = f();
    return (a ? text_length(a) : 0) + (b ? text_length(b) : 0);
}
int bare_and_read(long *(*f)(void)) { breaches++; return (int)*f(); }
int show_handle(int (*f)(struct handle *)) { return f(&the_handle); }
int show_trusted(int (*f)(struct handle *)) { return f(&the_handle); }
int apply_whole(struct holder (*f)(void)) { breaches++; return f().n; }
int uses(struct other *o) { if (o != &the_other) breaches++; return 0; }

int write_after(unsigned char *p, unsigned long n, int (*f)(int)) {
    int result = f((int)n);
    for (unsigned long i = 0; i < n; i++) p[i]++;
    return result;
}
long sum_after(const int *p, int n, int (*f)(int)) { f(n); return sum(p, n); }
unsigned long length_after(const char *s, int (*f)(int)) { f(0); return text_length(s); }

int apply_nonnull(int (*f)(int), int x) { if (!f) breaches++; return f ? f(x) : 0; }
int apply_nullable(int (*f)(int), int x) { return f ? f(x) : -1; }
int trusted_int(int *p) { if (!p) breaches++; return p ? *p : 0; }
int trusted_or_null(int *p) { return p ? *p : -1; }
int text_or_null(const char *s) { return s ? (int)text_length(s) : -1; }
unsigned long length16(const char16_t *s) { unsigned long n = 0; while (s[n]) n++; return n; }
unsigned long length32(const char32_t *s) { unsigned long n = 0; while (s[n]) n++; return n; }
unsigned long length_wide(const wchar_t *s) { return wcslen(s); }
struct bundle { int n; const int *p; struct handle *h; int (*f)(int); };
int take_bundle(struct bundle b) {
    if (!b.p || b.h != &the_handle || !b.f) { breaches++; return 0; }
    return *b.p + b.h->value + b.f(1);
}
int take_bundle_or_null(struct bundle b) { return (b.p ? *b.p : 0) + (b.f ? b.f(1) : 0); }

struct flexible { int n; int data[]; };
int by_value_flexible(struct flexible f) { return f.n; }
struct flexible flexible_variable = { 4, { 1, 2, 3, 4 } };

struct config { int level; const char *title; int (*hook)(int); struct handle *owner; char tag[8]; struct pair pairs[2]; };
struct config config = { 1, "a title", twice, &the_handle, "tag", { { 1, 2 }, { 3, 4 } } };
const char *title = "a title";
int (*hook)(int) = twice;
struct handle *owner = &the_handle, *owners[3] = { &the_handle, &the_handle, &the_handle };
struct { long before; struct { char c; struct handle *h; } in[2]; long after; } nest = { 1, { { 'a', &the_handle }, { 'b', &the_handle } }, 2 };
struct config *config_of(void) { return &config; }
// Follows every pointer that the host has.
int check_config(void) {
    struct handle *all[] = { config.owner, owner, owners[0], owners[1], owners[2], nest.in[0].h, nest.in[1].h };
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) if (all[i] != &the_handle) breaches++;
    if (strcmp(config.title, "a title") || strcmp(title, "a title")) breaches++;
    return config.hook(1) + hook(1);
}
int sum_pair(struct pair p) { return p.a + p.b; }
typedef long reader(const int *p, int n);
reader *get_reader(void) { return sum; }
int show_reader(int (*f)(reader *)) { return f(sum); }

// Tickets: those that are open have the number of their owners.
struct ticket { int owners; };
static struct ticket tickets[4096];
struct ticket *ticket_open(void) {
    static int next;
    struct ticket *t = &tickets[next++ % 4095];
    t->owners = 1;
    return t;
}
struct ticket *ticket_share(struct ticket *t) {
    if (t->owners < 1) breaches++;
    t->owners++;
    return t;
}
struct ticket *ticket_lent(void) { return &tickets[4095]; }
struct ticket *ticket_held = &tickets[4095];
int ticket_get(struct ticket *t) {
    if (t < tickets || t > &tickets[4095] || (t != &tickets[4095] && t->owners < 1)) breaches++;
    return t->owners;
}
int ticket_close(struct ticket *t) {
    if (t < tickets || t >= &tickets[4095] || t->owners < 1) breaches++;
    return --t->owners;
}
int ticket_close_both(struct ticket *a, struct ticket *b) { return ticket_close(a) + ticket_close(b); }
int ticket_close_or_null(struct ticket *t) { return t ? ticket_close(t) : -1; }
int ticket_close_after(struct ticket *t, int (*f)(int)) { f(0); return ticket_close(t); }
// Texts: they are overwritten when they are freed.
enum { TEXTS = 16384 };
static char texts[TEXTS][32];
static int texts_in_use[TEXTS];
char *text_share(char *text) { texts_in_use[(text - texts[0]) / 32]++; return text; }
char *text_make(int n) {
    for (int i = 0; i < TEXTS; i++) if (!texts_in_use[i]) {
        texts_in_use[i] = 1;
        for (int j = 0; j < 31; j++) texts[i][j] = j < n ? 'x' : 0;
        return texts[i];
    }
    return NULL;
}
void text_free(char *text) {
    int i = (int)((text - texts[0]) / 32);
    if (i < 0 || i >= TEXTS || !texts_in_use[i]) { breaches++; return; }
    if (--texts_in_use[i] == 0) memset(text, 'y', 32);
}
struct other *many(void) { static unsigned long n; return (struct other *)(4096 + 64 * ++n); }
int ticket_use_after(struct ticket *t, int (*f)(int)) { f(0); return ticket_get(t); }
int ticket_of(struct ticket *(*f)(void)) {
    struct ticket *a = f(), *b = f();
    return (a ? ticket_get(a) : 0) + (b ? ticket_get(b) : 0);
}
typedef int eats(const int *p, int n);
struct eaters { int n; eats *f; };
int eat(const int *p, int n) { return breaches++, p && n; }
int eat_four(const int *p, int n) { return breaches++, p && n; }
int eat_any(const int *p, int n) { return breaches++, p && n; }
int eat_text(const int *p, int n) { return breaches++, p && n; }
int feed(eats *f) { return f(NULL, 1000); }
static int fed = 5;
int eat_some(const int *p, int n) { return n == 1 ? *p : 0; }
int feed_some(eats *f) { return f == eat ? *&fed : f(&fed, 1); }
eats *eater = eat_some;
int feed_eaters(struct eaters e) { return e.f(NULL, 1000); }
int each_ticket(int (*f)(struct ticket *)) { return f(&tickets[4095]); }
int each_trusted(int (*f)(struct ticket *)) { return f(&tickets[4095]); }
