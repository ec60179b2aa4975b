int printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
typedef struct point { int x, y; } point_t;
struct node { struct node *next; point_t *p; void (*visit)(struct node *, int); };
enum color { RED, GREEN = 5, BLUE = GREEN << 2 };
typedef int (*callback)(void *, unsigned long long, double);
union value { int i; float f; char bytes[sizeof(double)]; struct { short lo, hi; }; };
struct bits { unsigned a : 3, b : 5; int : 0; long long c : 40; _Bool d : 1; };
#pragma pack(push, 1)
struct packed { char c; int i; double d[2]; } __attribute__((aligned(4)));
#pragma pack(pop)
static const long long BIG = -1LL << 40; constexpr double PI = 3.14159;
#define LIMIT (sizeof(struct { int a; char b; }) * 4 + 'a')
extern int (*table[3])(int), matrix[2][3]; void (*signal(int, void (*)(int)))(int);
typedef float vec __attribute__((vector_size(16))); typedef int a16 __attribute__((aligned(16)));
int __stdcall win(int a, void *b) __asm__("win@8"); int (__fastcall *fp)(long, _Bool);
_Static_assert(sizeof(int) == 4 && _Alignof(char) == 1, "int");
void f(int n, int a[n], int b[const restrict static 3], ...); void g(); void h(void);
struct flex { int n; char data[] __attribute__((counted_by(n))); }; struct vls { int n; int v[?]; };
extern "C" { static inline int twice(int x) { return x * 2; } [[nodiscard]] int d(void); }
enum small : unsigned char { TINY = 255 }; typedef __typeof__(1 ? (short)1 : 2L) longer;
void *copy(void *restrict d, const void *s, unsigned long n) __attribute__((nonnull(1, 2), access(write_only, 1, 3)));
typedef int mode_di __attribute__((mode(DI))); typedef unsigned int u128 __attribute__((mode(TI)));
struct __attribute__((packed)) outer { struct { char a; union { int b; long c; }; } in; const char *const s; } o;
enum { OFF = __builtin_offsetof(struct outer, in.b), ADDR = (long)&((struct outer *)0)->s };
long double ld; float _Complex fc; _Atomic int at; _Atomic(long) al; __int128 wide; int &ref; wchar_t w[sizeof L"abc"];
__declspec(align(16)) struct aligned_ms { int a; }; __declspec(dllimport) extern int imported;
typedef struct opaque opaque; opaque *open_it(const char *name), *const last; typedef void fn(opaque *); fn use_it;
enum { G = _Generic(1.0f, float: 1, default: 2), T = 1 ? 2 : 3, S = "abc" ? 1 : 0, B = 0b1010'1010, H = 0x1p3 > 7 };
