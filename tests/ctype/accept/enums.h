// compiler: gcc -std=gnu11
// target: x86_64-unknown-linux-gnu
// Enumerators, the type of an enum, 64-bit values, packed enums, enums inside records.
enum empty_tag_used_later;
enum color { RED, GREEN = 5, BLUE, ALIAS = RED, LAST = BLUE + 10, } __attribute__((unused));
_Static_assert(RED == 0 && GREEN == 5 && BLUE == 6 && ALIAS == 0 && LAST == 16, "");
_Static_assert(sizeof(enum color) == 4 && (enum color)-1 > 0, "");
enum negative { MINUS = -1, PLUS };
_Static_assert(PLUS == 0 && (enum negative)-1 < 0, "");
enum large { SMALL = 1, LARGE = 0x123456789abc };
_Static_assert(sizeof(enum large) == 8 && LARGE >> 32 == 0x1234, "");
enum unsigned_large { TOP = 0xffffffffffffffff };
_Static_assert(TOP == 0xffffffffffffffffu && sizeof(enum unsigned_large) == 8, "");
enum signed_large { LOW = -0x100000000, HIGH = 0x7fffffffffffffff };
_Static_assert((enum signed_large)-1 < 0 && LOW < 0, "");
enum __attribute__((packed)) tiny { T1 = 200 }; enum tiny_too { T2 = -100 } __attribute__((packed));
enum __attribute__((packed)) two_bytes { T3 = 300 };
_Static_assert(sizeof(enum tiny) == 1 && (enum tiny)-1 == 255, "");
_Static_assert(sizeof(enum tiny_too) == 1 && (enum tiny_too)200 == -56 && sizeof(enum two_bytes) == 2, "");
enum attributed { OLD __attribute__((deprecated)) = 3, NEW };
_Static_assert(NEW == 4, "");
struct holder { enum inside { IN = 7 } e; enum { ALSO = 8 } f; };
_Static_assert(IN == 7 && ALSO == 8 && sizeof(struct holder) == 8, "");
enum { ANONYMOUS = sizeof(struct holder), NEXT };
_Static_assert(NEXT == 9, "");
