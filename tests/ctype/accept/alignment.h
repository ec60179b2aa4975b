// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// packed, aligned, _Alignas, #pragma pack, aligned typedefs.
struct __attribute__((packed)) before { char c; int i; }; struct after { char c; int i; } __attribute__((packed));
struct __attribute__((packed, aligned(2))) both { char c; int i; }; struct member { char c; int i __attribute__((packed)); };
_Static_assert(sizeof(struct before) == 5 && sizeof(struct after) == 5 && sizeof(struct both) == 6 && sizeof(struct member) == 5, "");
struct aligned_member { char c; char d __attribute__((aligned(8))); }; struct standard { char c; _Alignas(16) char d; _Alignas(double) char e; };
_Static_assert(sizeof(struct aligned_member) == 16 && sizeof(struct standard) == 32, "");
_Static_assert(__builtin_offsetof(struct standard, e) == 24, "");
struct biggest { char c; } __attribute__((aligned)); _Static_assert(sizeof(struct biggest) == 16, "");
typedef int aligned_int __attribute__((aligned(16))); typedef double low_double __attribute__((aligned(4)));
struct uses { char c; aligned_int i; char d; low_double l; };
_Static_assert(sizeof(aligned_int) == 4 && _Alignof(aligned_int) == 16 && sizeof(struct uses) == 32, "");
_Static_assert(__builtin_offsetof(struct uses, l) == 24, "");
struct packed_keeps_inner { char c; struct { char d; int i; } in; } __attribute__((packed));
_Static_assert(sizeof(struct packed_keeps_inner) == 9, "");
#pragma pack(push, 1)
struct pack1 { char c; double d; };
#pragma pack(push, 2)
struct pack2 { char c; double d; };
#pragma pack(pop)
struct pack1_again { char c; double d; };
#pragma pack(pop)
struct natural { char c; double d; };
#pragma pack(4)
struct pack4 { char c; double d; };
#pragma pack()
struct natural_again { char c; double d; };
#pragma pack(push, name, 2)
#pragma pack(push, 1)
#pragma pack(pop, name)
struct natural_by_name { char c; double d; };
_Static_assert(sizeof(struct pack1) == 9 && sizeof(struct pack2) == 10 && sizeof(struct pack1_again) == 9, "");
_Static_assert(sizeof(struct natural) == 16 && sizeof(struct pack4) == 12 && sizeof(struct natural_again) == 16, "");
_Static_assert(sizeof(struct natural_by_name) == 16, "");
