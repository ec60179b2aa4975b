// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Bit-fields of every type, unnamed and of width zero.
struct basic { unsigned a : 3, b : 5; int c : 24; };
struct crossing { int a : 20; int b : 20; }; struct mixed { char a : 4; int b : 20; short c : 9; };
struct ended { int a : 3; int : 0; int b : 3; }; struct unnamed { int a : 3; int : 5; int b : 8; };
struct wide { unsigned long long a : 40; unsigned long long b : 24; long c : 1; }; struct boolean { _Bool a : 1, b : 1; _Bool c; };
enum kind { K0, K1, K2 }; struct enumerated { enum kind k : 2; enum kind l : 2; };
struct huge { __int128 a : 100; __int128 b : 28; }; struct __attribute__((packed)) packed { int a : 3; long b : 40; char c; };
struct after { char c; int a : 8; int b : 16; }; union in_union { int a : 3; long b : 33; }; struct only_unnamed { int : 7; };
typedef unsigned field; enum { WIDTH = 6 }; struct computed { field a : WIDTH * 2 - 1; field : WIDTH; const field c : 1; };
_Static_assert(sizeof(struct basic) == 4 && sizeof(struct crossing) == 8 && sizeof(struct mixed) == 8, "");
_Static_assert(sizeof(struct ended) == 8 && sizeof(struct unnamed) == 4 && sizeof(struct wide) == 16, "");
_Static_assert(sizeof(struct boolean) == 2 && sizeof(struct enumerated) == 4 && sizeof(struct huge) == 16, "");
_Static_assert(sizeof(struct packed) == 7 && sizeof(struct after) == 4 && sizeof(union in_union) == 8, "");
_Static_assert(sizeof(struct only_unnamed) == 1 && sizeof(struct computed) == 4, "");
