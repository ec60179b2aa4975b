// compiler: clang-19 -fdeclspec
// target: x86_64-unknown-linux-gnu
// Microsoft's __declspec away from Windows, as Clang reads it.
__declspec(align(16)) struct before { int a; }; struct __declspec(align(8)) inside { char c; }; struct member { char c; __declspec(align(4)) char d; };
_Static_assert(sizeof(struct before) == 16 && sizeof(struct inside) == 8 && sizeof(struct member) == 8, "");
