// compiler: x86_64-w64-mingw32-gcc -std=gnu11
// target: x86_64-pc-windows-gnu
// MinGW: Microsoft's bit-fields, long of 4 bytes, x87 long double, anonymous members with a tag.
struct i { int a; }; typedef struct { int x; } t; struct o { struct i; t; int b; }; _Static_assert(sizeof(struct o) == 12, "");
struct bits { char a : 4; int b : 4; }; _Static_assert(sizeof(struct bits) == 8, "");
struct __attribute__((gcc_struct)) gnu { char a : 4; int b : 4; }; _Static_assert(sizeof(struct gnu) == 4, "");
_Static_assert(sizeof(long) == 4 && sizeof(long double) == 16 && sizeof(L'a') == 2, "");
__declspec(dllimport) int __attribute__((stdcall)) f(int); int (__stdcall *g)(void); extern int __cdecl h(void);
