// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Qualifiers anywhere, in every spelling.
const int a; int const b; volatile const int c; int const volatile d; __const int e; __volatile__ int f;
const char *p1; char const *p2; char *const p3; const char *const *volatile p4; char *restrict p5; char *__restrict__ p6;
_Static_assert(__builtin_types_compatible_p(__typeof__(&a), const int *), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(&b), const int *), "");
_Static_assert(!__builtin_types_compatible_p(__typeof__(&a), int *), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(&c), __typeof__(&d)), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(p1), __typeof__(p2)), "");
_Static_assert(!__builtin_types_compatible_p(__typeof__(p1), char *), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(*p4), const char *const), "");
typedef char *string; const string cs;
_Static_assert(__builtin_types_compatible_p(__typeof__(&cs), char *const *), "");
typedef int vector[3]; const vector cv; int const cw[3];
_Static_assert(__builtin_types_compatible_p(__typeof__(&cv[0]), const int *), "");
_Static_assert(__builtin_types_compatible_p(__typeof__(cv), __typeof__(cw)), "");
_Atomic int atomic; _Atomic(long) atomic_long; _Atomic(int *) atomic_pointer; int _Atomic other;
_Static_assert(sizeof atomic == 4 && sizeof(_Atomic(char)) == 1, "");
struct { char c[8]; } plain; _Atomic struct eight { char c[8]; } aligned_by_atomic;
_Static_assert(_Alignof(struct eight) == 1 && _Alignof(_Atomic struct eight) == 8, "");
_Static_assert(_Alignof(_Atomic(struct { char c[16]; })) == 16 && _Alignof(_Atomic(struct { char c[3]; })) == 1, "");
_Static_assert(sizeof(_Atomic(struct { char c[3]; })) == 3, "");
