
#include <stdarg.h>
struct byte { unsigned char mask, limit; };
struct report { unsigned failed, size; unsigned char got[256]; } report;
static unsigned char named(struct byte b, unsigned value, unsigned i) {
    unsigned v = value % 15 + 1;
    return b.limit == 1 ? v & 1 : (v << 4 | (i & 15)) & b.limit;
}
__attribute__((noinline)) static void name(void *p, const struct byte *t, unsigned size, unsigned value) {
    for (unsigned i = 0; i < size; i++) ((unsigned char *)p)[i] = (0xA5 & ~t[i].mask) | named(t[i], value, i);
}
__attribute__((noinline)) static void check(const void *p, const struct byte *t, unsigned size, unsigned value) {
    const unsigned char *b = p;
    unsigned wrong = 0;
    for (unsigned i = 0; i < size; i++) wrong |= (b[i] & t[i].mask) != named(t[i], value, i);
    if (!wrong || report.failed) return;
    report.failed = value + 1;
    report.size = size;
    for (unsigned i = 0; i < size && i < sizeof report.got; i++) report.got[i] = b[i];
}
/* An integer of less than a register: what the compiler makes of the whole register, which it may rely on. */
__attribute__((noinline)) static void exact(long long is, long long expected, unsigned value) {
    if (is == expected || report.failed) return;
    report.failed = value + 1;
    report.size = 8;
    for (unsigned i = 0; i < 8; i++) report.got[i] = is >> 8 * i;
}
volatile long live_integers[6] = {11, 22, 33, 44, 55, 66};
volatile double live_doubles[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
enum word { WORD_A, WORD_B = 5 };
typedef float vector8 __attribute__((vector_size(8)));
typedef short vector8i __attribute__((vector_size(8)));
typedef double vector16 __attribute__((vector_size(16)));
typedef int vector16i __attribute__((vector_size(16)));
typedef double vector32 __attribute__((vector_size(32)));
struct t0 { int : 1; };
void f0(int, int, int, int, int, int, struct t0, int);
static const struct byte image_0[] = {{255,255},{255,255},{255,255},{255,255},};
static const struct byte image_1[] = {{0,0},};
static const struct byte image_2[] = {};
__attribute__((sysv_abi)) void callee_f0(int a0, int a1, int a2, int a3, int a4, int a5, struct t0 a6, int a7) { report.failed = 0;
  exact(a0, 319951120, 0);
  exact(a1, 589439264, 1);
  exact(a2, 858927408, 2);
  exact(a3, 1128415552, 3);
  exact(a4, 1397903696, 4);
  exact(a5, 1667391840, 5);
  check(&a6, image_1, 1, 6);
  exact(a7, -2088599168, 7);
}
void caller_f0(void (__attribute__((sysv_abi)) *f)(int, int, int, int, int, int, struct t0, int)) { report.failed = 0;
  int a0; name(&a0, image_0, 4, 0);
  int a1; name(&a1, image_0, 4, 1);
  int a2; name(&a2, image_0, 4, 2);
  int a3; name(&a3, image_0, 4, 3);
  int a4; name(&a4, image_0, 4, 4);
  int a5; name(&a5, image_0, 4, 5);
  struct t0 a6; name(&a6, image_1, 1, 6);
  int a7; name(&a7, image_0, 4, 7);
  __typeof__(+live_integers[0]) integers0 = live_integers[0]; __typeof__(+live_integers[0]) integers1 = live_integers[1]; __typeof__(+live_integers[0]) integers2 = live_integers[2]; __typeof__(+live_integers[0]) integers3 = live_integers[3]; __typeof__(+live_integers[0]) integers4 = live_integers[4]; __typeof__(+live_integers[0]) integers5 = live_integers[5]; __typeof__(+live_doubles[0]) doubles0 = live_doubles[0]; __typeof__(+live_doubles[0]) doubles1 = live_doubles[1]; __typeof__(+live_doubles[0]) doubles2 = live_doubles[2]; __typeof__(+live_doubles[0]) doubles3 = live_doubles[3]; __typeof__(+live_doubles[0]) doubles4 = live_doubles[4]; __typeof__(+live_doubles[0]) doubles5 = live_doubles[5]; __typeof__(+live_doubles[0]) doubles6 = live_doubles[6]; __typeof__(+live_doubles[0]) doubles7 = live_doubles[7]; __typeof__(+live_doubles[0]) doubles8 = live_doubles[8]; __typeof__(+live_doubles[0]) doubles9 = live_doubles[9];
  f(a0, a1, a2, a3, a4, a5, a6, a7);
  if (0 || integers0 != live_integers[0] || integers1 != live_integers[1] || integers2 != live_integers[2] || integers3 != live_integers[3] || integers4 != live_integers[4] || integers5 != live_integers[5] || doubles0 != live_doubles[0] || doubles1 != live_doubles[1] || doubles2 != live_doubles[2] || doubles3 != live_doubles[3] || doubles4 != live_doubles[4] || doubles5 != live_doubles[5] || doubles6 != live_doubles[6] || doubles7 != live_doubles[7] || doubles8 != live_doubles[8] || doubles9 != live_doubles[9]) report.failed = 1000, report.size = 0;
}
