// compiler: i686-linux-gnu-gcc -std=gnu11
// target: i686-unknown-linux-gnu
// Where a 32-bit target differs.
_Static_assert(sizeof(long) == 4 && sizeof(void *) == 4 && sizeof(long double) == 12 && sizeof(1L) == 4 && sizeof(2147483648) == 8, "");
_Static_assert(_Alignof(long long) == 4 && __alignof__(long long) == 8 && _Alignof(double) == 4 && __alignof__(double) == 8, "");
struct s { char c; double d; long long l; }; _Static_assert(sizeof(struct s) == 20 && __builtin_offsetof(struct s, d) == 4, "");
struct m { long long l __attribute__((aligned(__alignof__(long long)))); long double d; }; _Static_assert(_Alignof(struct m) == 8, "");
int __attribute__((stdcall)) a(int); int __attribute__((fastcall)) b(int); int __attribute__((regparm(3))) c(int, int); int (__attribute__((thiscall)) *d)(void *);
_Static_assert((unsigned long)-1 == 4294967295u && -1 < 0ul == 0, ""); enum large { L = 0x100000000 }; _Static_assert(sizeof(enum large) == 8, "");
