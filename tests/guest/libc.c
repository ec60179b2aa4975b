/* The C library of the behaviour files where C is 32-bit code without a system of its own: what they call and no more, with the
 * compiler's freestanding headers and Linux' 32-bit system calls. Floating point is x87's: 64 bits of significand, so that what
 * is printed with up to 17 digits is right. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* errno and the system. */
static int error;
int *__errno_location(void) { return &error; }

static int system_call(int number, int a, int b, int c) {
    int result;
    __asm__ volatile("push %%ebx; mov %2, %%ebx; int $0x80; pop %%ebx" : "=a"(result) : "0"(number), "S"(a), "c"(b), "d"(c) : "memory");
    if (result >= 0 || result < -4095) return result;
    error = -result;
    return -1;
}
int close(int file) { return system_call(6, file, 0, 0); }
int poll(void *files, unsigned long count, int milliseconds) { return system_call(168, (int)files, (int)count, milliseconds); }
const char *strerror(int e) { return e == 2 ? "No such file or directory" : "an error"; }

static char path[] = "PATH=/bin";
static char *variables[] = {path, NULL};
char **environ = variables;
int optind = 1, signgam = 0;

/* Strings. */
void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int c, size_t n) {
    for (size_t i = 0; i < n; i++) ((volatile char *)to)[i] = c;
    return to;
}
void *memchr(const void *s, int c, size_t n) {
    for (const unsigned char *p = s; n; n--, p++) if (*p == (unsigned char)c) return (void *)p;
    return NULL;
}
size_t strlen(const char *s) { const char *end = s; while (*end) end++; return end - s; }
size_t wcslen(const int *s) { const int *end = s; while (*end) end++; return end - s; }
int strcmp(const char *a, const char *b) {
    for (; *a && *a == *b; a++) b++;
    return (unsigned char)*a - (unsigned char)*b;
}
char *strchr(const char *s, int c) {
    for (; *s != (char)c; s++) if (!*s) return NULL;
    return (char *)s;
}
char *getenv(const char *name) {
    size_t n = strlen(name);
    for (char **v = environ; *v; v++) {
        size_t i = 0;
        while (i < n && (*v)[i] == name[i]) i++;
        if (i == n && (*v)[n] == '=') return *v + n + 1;
    }
    return NULL;
}
int toupper(int c) { return c >= 'a' && c <= 'z' ? c - 32 : c; }
int tolower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/* Memory: a block after the other; the last one can be given back. */
static _Alignas(16) char heap[1 << 16];
static size_t used, last;
void *malloc(size_t n) {
    size_t size = (n + 15) & ~(size_t)15;
    if (size < n || size > sizeof heap - used) return NULL;
    last = used;
    used += size;
    return heap + last;
}
void free(void *p) { if (p == heap + last) used = last; }

/* Integers. */
int abs(int n) { return n < 0 ? -n : n; }
long labs(long n) { return n < 0 ? -n : n; }
long long llabs(long long n) { return n < 0 ? -n : n; }

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static unsigned digit(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(tolower(c) - 'a' + 10); }
static bool is_digit(char c, unsigned base) {
    return ((c >= '0' && c <= '9') || (tolower(c) >= 'a' && tolower(c) <= 'z')) && digit(c) < base;
}
static const char *sign(const char *s, bool *minus) {
    while (is_space(*s)) s++;
    *minus = *s == '-';
    return s + (*s == '-' || *s == '+');
}
unsigned long long strtoull(const char *s, char **end, int base) {
    bool minus;
    const char *p = sign(s, &minus), *start;
    unsigned long long value = 0;
    if ((base == 0 || base == 16) && p[0] == '0' && tolower(p[1]) == 'x' && is_digit(p[2], 16)) p += 2, base = 16;
    if (base == 0) base = *p == '0' ? 8 : 10;
    for (start = p; is_digit(*p, base); p++) value = value * base + digit(*p);
    if (end) *end = (char *)(p == start ? s : p);
    return minus ? -value : value;
}
unsigned long strtoul(const char *s, char **end, int base) { return strtoull(s, end, base); }
long strtol(const char *s, char **end, int base) { return strtoull(s, end, base); }

typedef int compare_with(const void *, const void *);
void qsort(void *base, size_t n, size_t size, compare_with *compare) {
    for (size_t i = 1; i < n; i++)
        for (char *p = (char *)base + i * size; p > (char *)base && compare(p - size, p) > 0; p -= size)
            for (size_t k = 0; k < size; k++) { char c = p[k]; p[k] = p[k - size]; p[(int)k - (int)size] = c; }
}
void *bsearch(const void *key, const void *base, size_t n, size_t size, compare_with *compare) {
    while (n) {
        const char *middle = (const char *)base + n / 2 * size;
        int order = compare(key, middle);
        if (order == 0) return (void *)middle;
        if (order > 0) base = middle + size, n -= n / 2 + 1;
        else n /= 2;
    }
    return NULL;
}

/* Floating point. */
typedef long double real;
static real whole(real x) { __asm__("frndint" : "+t"(x)); return x; }
static real scaled(real x, int by) { real e = by; __asm__("fscale" : "+t"(x) : "u"(e)); return x; }
double fabs(double x) { return __builtin_fabs(x); }
float fabsf(float x) { return __builtin_fabsf(x); }
double sqrt(double x) { __asm__("fsqrt" : "+t"(x)); return x; }
double cos(double x) { __asm__("fcos" : "+t"(x)); return x; }
double ldexp(double x, int e) { return scaled(x, e); }
double frexp(double x, int *e) {
    real exponent, significand;
    *e = 0;
    if (x == 0 || x - x != 0) return x;
    __asm__("fxtract" : "=t"(significand), "=u"(exponent) : "0"((real)x));
    *e = (int)exponent + 1;
    return significand / 2;
}
double modf(double x, double *part) {
    real near = whole(x);
    if (x >= 0 ? near > x : near < x) near -= x >= 0 ? 1 : -1;
    *part = near;
    return x - *part;
}
static real power(real x, int n) {
    real result = 1;
    for (unsigned k = abs(n); k; k >>= 1, x *= x) if (k & 1) result *= x;
    return n < 0 ? 1 / result : result;
}
double pow(double x, double y) {
    real exponent, near;
    if (y == (int)y) return power(x, (int)y);
    __asm__("fyl2x" : "=t"(exponent) : "0"((real)x), "u"((real)y) : "st(1)");
    near = whole(exponent);
    exponent -= near;
    __asm__("f2xm1" : "+t"(exponent));
    return scaled(exponent + 1, (int)near);
}
double strtod(const char *s, char **end) {
    bool minus;
    const char *p = sign(s, &minus), *start = p;
    real value = 0;
    int exponent = 0;
    for (; is_digit(*p, 10); p++) value = value * 10 + digit(*p);
    if (*p == '.') for (p++; is_digit(*p, 10); p++, exponent--) value = value * 10 + digit(*p);
    if (p > start && tolower(*p) == 'e') exponent += strtol(p + 1, (char **)&p, 10);
    if (end) *end = (char *)(p == start ? s : p);
    value = exponent < 0 ? value / power(10, -exponent) : value * power(10, exponent);
    return minus ? -value : value;
}

/* Output. */
struct output { char *to; size_t room, length; };
static void put(struct output *o, char c) {
    if (o->length + 1 < o->room) o->to[o->length] = c;
    o->length++;
}
struct format { bool left, plus, zero; int width, precision; };
static void pad(struct output *o, const struct format *f, const char *prefix, const char *text, int n) {
    int spaces = f->width - n - (int)strlen(prefix);
    for (int i = spaces; i > 0 && !f->left && !f->zero; i--) put(o, ' ');
    while (*prefix) put(o, *prefix++);
    for (int i = spaces; i > 0 && !f->left && f->zero; i--) put(o, '0');
    for (int i = 0; i < n; i++) put(o, text[i]);
    for (int i = spaces; i > 0 && f->left; i--) put(o, ' ');
}
static char *digits(char *end, uint64_t n, unsigned base) {
    do *--end = "0123456789abcdef"[n % base]; while (n /= base);
    return end;
}
static void put_integer(struct output *o, const struct format *f, uint64_t n, bool is_signed) {
    char text[24], *end = text + sizeof text;
    bool minus = is_signed && (int64_t)n < 0;
    char *start = digits(end, minus ? -n : n, 10);
    pad(o, f, minus ? "-" : f->plus && is_signed ? "+" : "", start, end - start);
}
/* `precision` decimals of a number that is not negative. */
static char *fixed(char *end, real x, int precision) {
    uint64_t n = (uint64_t)whole(x * power(10, precision));
    char *start = end;
    for (int i = 0; i < precision; i++, n /= 10) *--start = '0' + n % 10;
    if (precision) *--start = '.';
    return digits(start, n, 10);
}
static char *without_zeros(char *start, char *end) {
    if (!memchr(start, '.', end - start)) return end;
    while (end[-1] == '0') end--;
    return end - (end[-1] == '.');
}
static void put_real(struct output *o, const struct format *f, double value, char kind) {
    char text[64], *end = text + 48, *start;
    bool minus = __builtin_signbit(value);
    const char *prefix = minus ? "-" : f->plus ? "+" : "";
    real x = minus ? -(real)value : value;
    if (x - x != 0) return pad(o, f, prefix, x == x ? "inf" : "nan", 3);
    int precision = f->precision < 0 ? 6 : f->precision, exponent = 0;
    if (kind == 'f') {
        start = fixed(end, x, precision);
        return pad(o, f, prefix, start, end - start);
    }
    if (kind == 'g') precision = (precision ? precision : 1) - 1;
    /* As many digits as are asked for, and the exponent that they have once they are rounded. */
    if (x != 0) {
        real log;
        __asm__("fldlg2; fxch; fyl2x" : "=t"(log) : "0"(x));
        exponent = (int)whole(log);
        if (power(10, exponent) > x) exponent--;
        if (whole(x * power(10, precision - exponent)) >= power(10, precision + 1)) exponent++;
    }
    if (kind == 'g' && exponent >= -4 && exponent <= precision) {
        start = fixed(end, x, precision - exponent);
        return pad(o, f, prefix, start, without_zeros(start, end) - start);
    }
    start = fixed(end, x * power(10, -exponent), precision);
    if (kind == 'g') end = without_zeros(start, end);
    *end++ = 'e';
    *end++ = exponent < 0 ? '-' : '+';
    if (abs(exponent) < 10) *end++ = '0';
    char small[8], *from = digits(small + 8, abs(exponent), 10);
    memcpy(end, from, small + 8 - from);
    pad(o, f, prefix, start, end + (small + 8 - from) - start);
}
int vsnprintf(char *to, size_t room, const char *text, va_list va) {
    struct output o = {to, room, 0};
    for (; *text; text++) {
        if (*text != '%') { put(&o, *text); continue; }
        struct format f = {.precision = -1};
        int size = 0;
        for (text++; strchr("-+0", *text) && *text; text++) {
            if (*text == '-') f.left = true;
            if (*text == '+') f.plus = true;
            if (*text == '0') f.zero = true;
        }
        f.width = strtoul(text, (char **)&text, 10);
        if (*text == '.') f.precision = strtoul(text + 1, (char **)&text, 10);
        for (; strchr("hlz", *text) && *text; text++) size += *text == 'l' ? 1 : *text == 'h' ? -1 : 0;
        switch (*text) {
        case 'd': put_integer(&o, &f, size > 1 ? va_arg(va, int64_t) : size == -1 ? (short)va_arg(va, int) : size < -1 ? (signed char)va_arg(va, int) : va_arg(va, int), true); break;
        case 'u': put_integer(&o, &f, size > 1 ? va_arg(va, uint64_t) : va_arg(va, unsigned), false); break;
        case 'x': { char n[20], *start = digits(n + 20, size > 1 ? va_arg(va, uint64_t) : va_arg(va, unsigned), 16); pad(&o, &f, "", start, n + 20 - start); break; }
        case 'p': {
            char n[20], *start = digits(n + 20, va_arg(va, uint32_t), 16);
            if (start == n + 19 && *start == '0') pad(&o, &f, "", "(nil)", 5);
            else pad(&o, &f, "0x", start, n + 20 - start);
            break;
        }
        case 'c': { char c = va_arg(va, int); pad(&o, &f, "", &c, 1); break; }
        case 's': {
            const char *s = va_arg(va, const char *);
            if (!s) s = "(null)";
            int n = 0;
            while ((f.precision < 0 || n < f.precision) && s[n]) n++;
            pad(&o, &f, "", s, n);
            break;
        }
        case 'e': case 'f': case 'g': put_real(&o, &f, va_arg(va, double), *text); break;
        default: put(&o, *text);
        }
    }
    if (room) to[o.length < room ? o.length : room - 1] = 0;
    return o.length;
}
int snprintf(char *to, size_t room, const char *text, ...) {
    va_list va;
    va_start(va, text);
    int n = vsnprintf(to, room, text, va);
    va_end(va);
    return n;
}
int printf(const char *text, ...) {
    char line[256];
    va_list va;
    va_start(va, text);
    int n = vsnprintf(line, sizeof line, text, va);
    va_end(va);
    return system_call(4, 1, (int)line, n < (int)sizeof line ? n : (int)sizeof line - 1);
}

/* Input: %d with a size, %lf, %c, %[a-z] with a width. */
int sscanf(const char *s, const char *text, ...) {
    va_list va;
    int done = 0;
    va_start(va, text);
    for (; *text; text++) {
        if (is_space(*text)) { while (is_space(*s)) s++; continue; }
        if (*text != '%') { if (*s++ != *text) break; continue; }
        unsigned width = strtoul(text + 1, (char **)&text, 10), n = 0;
        int size = 0;
        for (; *text == 'l' || *text == 'h'; text++) size += *text == 'l' ? 1 : -1;
        char *end = (char *)s;
        if (*text == 'd') {
            int64_t value = strtoull(s, &end, 10);
            if (end == s) break;
            if (size == 2) *va_arg(va, int64_t *) = value;
            else if (size == -1) *va_arg(va, short *) = value;
            else *va_arg(va, int *) = value;
        } else if (*text == 'f') {
            *va_arg(va, double *) = strtod(s, &end);
        } else if (*text == 'c') {
            *va_arg(va, char *) = *end++;
        } else {
            char low = text[1], high = text[3], *to = va_arg(va, char *);
            for (; n < width && *end >= low && *end <= high; n++) to[n] = *end++;
            to[n] = 0;
            text += 4;
        }
        if (end == s) break;
        s = end;
        done++;
    }
    va_end(va);
    return done;
}
