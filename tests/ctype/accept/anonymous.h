// compiler: gcc -std=gnu11 -fms-extensions
// target: x86_64-unknown-linux-gnu
// A struct or union without a declarator is a member, with a tag and through a typedef, too (LuaJIT's rule).
typedef struct foo { int a, b; } foo_t; typedef struct { int c; } bar_t; typedef union un { int q; double w; } un_t;
enum en { KK };
struct s1 { int x; foo_t; }; _Static_assert(sizeof(struct s1) == 12 && __builtin_offsetof(struct s1, b) == 8, "");
struct s2 { int x; struct foo; }; _Static_assert(sizeof(struct s2) == 12 && __builtin_offsetof(struct s2, a) == 4, "");
struct s3 { int x; bar_t; }; _Static_assert(sizeof(struct s3) == 8 && __builtin_offsetof(struct s3, c) == 4, "");
struct s4 { int x; union un; }; _Static_assert(sizeof(struct s4) == 16 && __builtin_offsetof(struct s4, q) == 8, "");
struct s5 { int x; un_t; int y; }; _Static_assert(sizeof(struct s5) == 24 && __builtin_offsetof(struct s5, y) == 16, "");
struct s6 { struct inside { int z; }; int x; }; _Static_assert(sizeof(struct s6) == 8 && sizeof(struct inside) == 4, "");
struct s7 { int x; const foo_t; }; _Static_assert(sizeof(struct s7) == 12, "");
union s8 { long x; foo_t; }; _Static_assert(sizeof(union s8) == 8 && __builtin_offsetof(union s8, b) == 4, "");
struct s9 { int x; enum en; enum { LL }; enum en2 { MM }; }; _Static_assert(sizeof(struct s9) == 4, "");
