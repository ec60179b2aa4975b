// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Structs and unions: tags, forward declarations, anonymous members, open and empty arrays.
struct node; struct node *head; typedef struct node node_t;
struct node { node_t *next; struct node *previous; union { int i; double d; }; struct { char a, b; } pair; };
_Static_assert(sizeof(node_t) == 32 && __builtin_offsetof(struct node, d) == 16, "");
_Static_assert(__builtin_offsetof(node_t, pair.b) == 25 && sizeof head->pair == 2, "");
struct deep { struct { union { struct { char x; int y; }; long z; }; }; };
_Static_assert(__builtin_offsetof(struct deep, y) == 4 && __builtin_offsetof(struct deep, z) == 0, "");
struct flexible { int count; char data[]; }; struct zero { int count; int data[0]; }; struct nothing {}; union none {};
_Static_assert(sizeof(struct flexible) == 4 && sizeof(struct zero) == 4, "");
_Static_assert(sizeof(struct nothing) == 0 && sizeof(union none) == 0 && __builtin_offsetof(struct flexible, data) == 4, "");
struct flexible_padded { long l; char c; char data[]; };
_Static_assert(sizeof(struct flexible_padded) == 16 && __builtin_offsetof(struct flexible_padded, data) == 9, "");
union mixed { char c[5]; int i; struct { short s[3]; } t; };
_Static_assert(sizeof(union mixed) == 8 && _Alignof(union mixed) == 4, "");
struct several { int a, *b, c[2], (*d)(struct several *); };
_Static_assert(sizeof(struct several) == 32, "");
typedef struct { int x, y; } point; typedef struct { point from, to; } line; typedef union { line l; int all[4]; } shape;
_Static_assert(sizeof(shape) == 16 && __builtin_offsetof(shape, l.to.y) == 12, "");
struct outer { struct inner { int a; } in; }; struct inner reused;
_Static_assert(sizeof reused == 4, "");
struct constant_members { const int a; const char *const b; volatile int c; };
_Static_assert(sizeof(struct constant_members) == 24, "");
struct with_assert { int a; _Static_assert(sizeof(int) == 4, "inside"); ; int b; };
struct s_and_name { int a; } s_and_name; union s_and_value { int b; } *pointer_to_union;
_Static_assert(sizeof(struct s_and_name) == 4 && sizeof(pointer_to_union->b) == 4, "");
