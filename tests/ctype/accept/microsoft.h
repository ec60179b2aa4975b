// compiler: clang-19 --target=x86_64-pc-windows-msvc -fms-extensions
// target: x86_64-pc-windows-msvc
// Extensions that Microsoft's headers use.
typedef __int8 i8; typedef unsigned __int16 u16; typedef signed __int32 i32; typedef __int64 i64; typedef unsigned __int64 u64;
_Static_assert(sizeof(i8) == 1 && sizeof(u16) == 2 && sizeof(i32) == 4 && sizeof(i64) == 8 && sizeof(long) == 4 && sizeof(L'a') == 2, "");
__declspec(dllimport) int __stdcall imported(int a); extern __declspec(dllexport) void *__cdecl exported(void);
int (__stdcall *pointer)(int), (__fastcall **twice)(int), (_cdecl *old)(void); typedef long (__stdcall *WNDPROC)(void *, unsigned, u64, i64); __declspec(noreturn) void die(void);
struct __declspec(align(32)) aligned { char c; }; typedef struct __declspec(align(8)) { int a; } aligned_too; __declspec(align(16)) struct outside { int a; } object; __declspec(align(64)) struct outside of_object_only;
_Static_assert(sizeof(struct aligned) == 32 && sizeof(aligned_too) == 8 && sizeof(struct outside) == 16, "");
typedef enum { E = 0x7fffffff } e; _Static_assert(sizeof(e) == 4 && (e)-1 < 0, "");
typedef void *__ptr64 p64; int *__restrict r; void *__unaligned q; i64 limit = 9223372036854775807i64; u64 most = 0xffffffffffffffffui64;
struct tagged { int a; }; struct contains { struct tagged; int b; }; _Static_assert(sizeof(struct contains) == 8 && __builtin_offsetof(struct contains, a) == 0, "");
struct bits { char a : 4; int b : 4; }; _Static_assert(sizeof(struct bits) == 8, ""); __inline int in(void) { return 0; } __forceinline int fin(void) { return 1; }
struct empty {}; _Static_assert(sizeof(struct empty) == 4 && sizeof(long double) == 8, "");
