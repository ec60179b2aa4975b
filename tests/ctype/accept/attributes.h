// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Attributes before, between and after; unknown ones; mode, vector_size; asm labels.
__attribute__((visibility("default"))) int before(int a) __attribute__((const)), between __attribute__((unused)), *after __attribute__((aligned(8)));
extern __attribute__((nothrow, leaf)) void *allocate(unsigned long, unsigned long) __attribute__((malloc, alloc_size(1, 2))) __attribute__((warn_unused_result));
void report(const char *format, ...) __attribute__((format(printf, 1, 2), cold, noreturn)); void stop(void) __attribute__((__noreturn__));
int renamed(int) __asm__("real_name"); extern int variable __asm("real_" "variable") __attribute__((used));
typedef int qi __attribute__((mode(QI))); typedef unsigned hi __attribute__((__mode__(__HI__))); typedef int di __attribute__((mode(DI)));
typedef float df __attribute__((mode(DF))); typedef int word __attribute__((mode(word))); typedef unsigned ti __attribute__((mode(TI)));
typedef _Complex float dc __attribute__((mode(DC))); typedef int pointer_sized __attribute__((__mode__(__pointer__)));
_Static_assert(sizeof(qi) == 1 && sizeof(hi) == 2 && sizeof(di) == 8 && sizeof(df) == 8 && sizeof(word) == 8 && sizeof(ti) == 16, "");
_Static_assert((qi)-1 < 0 && (hi)-1 > 0 && sizeof(dc) == 16 && sizeof(pointer_sized) == 8, "");
typedef float v4 __attribute__((vector_size(16))); typedef v4 *pointer_to_v4; v4 table[2]; int __attribute__((__vector_size__(8))) v2;
_Static_assert(sizeof(v4) == 16 && _Alignof(v4) == 16 && sizeof table == 32 && sizeof v2 == 8, "");
struct __attribute__((deprecated("old"))) old { int a __attribute__((unused)); }; int with_param(int a __attribute__((unused)), char *b __attribute__((nonnull)));
typedef union { int *i; float *f; } either __attribute__((transparent_union)); void take(either);
int first(int a) __attribute__((nonnull)), second(char *b, char *c) __attribute__((nonnull(1), access(read_only, 1), access(write_only, 2)));
__extension__ typedef struct { long quot, rem; } division; __extension__ extern long long extension;
static __inline__ __attribute__((always_inline)) int body(int x) { struct { int a; } s = { x }; return s.a + '}' + "}"[0]; }
inline int another(void) { return 1; } int not_swallowed;
extern inline int __attribute__((gnu_inline)) third(int a) { /* } */ return a; }
_Noreturn void never(void); _Thread_local int per_thread; extern __thread int also_per_thread;
