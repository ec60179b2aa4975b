-- FFI Semantics: "C Language Support"
local ffi = require "ffi"

-- Sizes and alignments of everything that has a name: the same rows in both.
local word = ffi.abi "64bit" and 8 or 4
for _, row in ipairs {
  { "bool", 1 }, { "_Bool", 1 }, { "char", 1 }, { "signed char", 1 }, { "unsigned char", 1 },
  { "short", 2 }, { "short int", 2 }, { "unsigned short", 2 }, { "signed short int", 2 }, { "short unsigned int", 2 },
  { "int", 4 }, { "signed", 4 }, { "unsigned", 4 }, { "unsigned int", 4 }, { "int unsigned", 4 }, { "signed int", 4 },
  { "long", word }, { "unsigned long", word }, { "long int", word }, { "long unsigned int", word },
  { "long long", 8 }, { "unsigned long long", 8 }, { "long long int", 8 }, { "long unsigned long", 8 },
  { "int long long unsigned", 8 }, { "float", 4 }, { "double", 8 }, { "long double", word == 8 and 16 or 12 },
  { "complex", 16 }, { "_Complex", 16 }, { "complex double", 16 }, { "double complex", 16 }, { "complex float", 8 },
  { "float _Complex", 8 }, { "__complex__ double", 16 },
  { "__int8", 1 }, { "__int16", 2 }, { "__int32", 4 }, { "__int64", 8 }, { "unsigned __int64", 8 },
  { "int8_t", 1 }, { "int16_t", 2 }, { "int32_t", 4 }, { "int64_t", 8 },
  { "uint8_t", 1 }, { "uint16_t", 2 }, { "uint32_t", 4 }, { "uint64_t", 8 },
  { "intptr_t", word }, { "uintptr_t", word }, { "ptrdiff_t", word }, { "size_t", word }, { "wchar_t", 4 },
  { "void *", word }, { "int *", word }, { "int **", word }, { "int (*)(int)", word }, { "int (**)(int)", word },
  { "int (*(*)(int))(double)", word }, { "int *(*)[3]", word }, { "const volatile int *const", word },
  { "int[3]", 12 }, { "int[2][3]", 24 }, { "int *[3]", 3 * word }, { "char[0]", 0 }, { "int (*[4])(int)", 4 * word },
  { "const int", 4 }, { "int const", 4 }, { "volatile int", 4 }, { "int volatile const", 4 },
  { "__const int", 4 }, { "__const__ int", 4 }, { "__volatile__ int", 4 }, { "__signed__ char", 1 }, { "__signed int", 4 },
  { "int *restrict", word }, { "int *__restrict", word }, { "int *__restrict__", word }, { "__extension__ int", 4 },
  { "int &", 4 }, { "double &", 8 }, { "struct { int a; }", 4 }, { "struct { char a; int b; }", 8 },
  { "struct { char a; short b; char c; }", 6 }, { "struct { char a; double b; }", 8 + word }, { "union { char a; double b; }", 8 },
  { "struct { }", 0 }, { "union { }", 0 }, { "enum { CL_E0 }", 4 }, { "enum { CL_E1 = -1 }", 4 },
  { "struct { int n; int v[0]; }", 4 }, { "struct { char c; struct { short s; }; }", 4 },
  { "struct { int a : 3; int b : 5; }", 4 }, { "struct { uint8_t a : 3, b : 5; }", 1 }, { "struct { uint8_t a : 7, b : 2; }", 2 },
  { "struct { int a : 3; int : 0; int b : 3; }", 8 }, { "struct { short a : 9, b : 8; }", 4 },
  { "struct { char c; int b : 4; }", 4 }, { "struct { int a : 31; bool b : 1; }", 4 },
} do
  check(ffi.sizeof(row[1]) == row[2], row[1])
end
for _, row in ipairs {
  { "char", 1 }, { "short", 2 }, { "int", 4 }, { "long long", word }, { "float", 4 }, { "double", word }, { "void *", word },
  { "int[3]", 4 }, { "complex", word }, { "complex float", 4 }, { "struct { char a; short b; }", 2 },
  { "struct { char a; double b; }", word }, { "union { char a; int b; }", 4 }, { "const short", 2 }, { "enum { CL_E2 }", 4 },
  { "struct { struct { double d; } s; char c; }", word }, { "int __attribute__((aligned(16)))", 16 },
  { "struct { char c; } __attribute__((aligned(8)))", 8 }, { "struct { char c; int i; } __attribute__((packed))", 1 },
  { "struct __attribute__((packed)) { char c; int i; }", 1 }, { "struct { char c; int i __attribute__((packed)); }", 1 },
  { "struct { char c; int i __attribute__((aligned(2), packed)); }", 2 }, { "float __attribute__((vector_size(16)))", 16 },
  { "int __attribute__((mode(DI)))", word }, { "int __attribute__((mode(QI)))", 1 }, { "int __attribute__((__mode__(__HI__)))", 2 },
  { "struct { char a; } __attribute__((__aligned__(32)))", 32 }, { "__declspec(align(16)) int", 16 },
} do
  check(ffi.alignof(row[1]) == row[2], row[1])
end

-- Another type for a name that has one.
ffi.cdef "typedef int cl_other; int cl_other_f(int);"
if differs "redeclaration" then
  local before = ffi.option("redeclare", "error")
  fails("conflicting declaration of 'cl_other'.*an earlier cdef: typedef int cl_other;", ffi.cdef, "typedef double cl_other;")
  fails("conflicting declaration of 'size_t'.*predeclared: typedef", ffi.cdef, "typedef short size_t;")
  ffi.cdef "typedef int cl_other; struct cl_twice { int a; }; struct cl_twice { int a; };"
  ffi.option("redeclare", "first")
  ffi.cdef "typedef double cl_other;"
  assert(ffi.option("redeclare", before) == "first")
else
  ffi.cdef "typedef double cl_other; typedef short size_t; double cl_other_f(double);"
  fails("cl_twice", ffi.cdef, "struct cl_twice { int a; }; struct cl_twice { int a, b; };")
end
check(ffi.sizeof "cl_other" == 4 and ffi.sizeof "size_t" == word)

-- Words that C does not combine, and pointers of another size: LuaJIT accepts them.
if differs "odd-types" then
  fails("'_Bool int' is no type of C.*LuaJIT makes it a bool of 4 bytes", ffi.typeof, "_Bool int")
  fails("'_Bool int' is no type of C", ffi.typeof, "int _Bool")
  fails("do not go together", ffi.typeof, "long float")
  if word == 8 then fails("pointers of another size are not supported", ffi.typeof, "int * __ptr32") end
elseif not AS_LUAJIT then
  check(ffi.sizeof "_Bool int" == 4 and ffi.sizeof "int * __ptr32" == 4)
end

-- Attributes that change how a function is called.
if differs "conventions" then
  ffi.cdef [[int cl_none(int) __asm__("abs") __attribute__((preserve_none)); int cl_most(int) __asm__("abs") __attribute__((preserve_most));
  typedef int (__attribute__((preserve_most)) *cl_keeps)(int);]]
  fails("calling convention preserve_none is not supported", function() return ffi.C.cl_none(-5) end)
  check(ffi.C.cl_most(-5) == 5)
  fails("'preserve_most' keeps registers that a callback does not", ffi.cast, "cl_keeps", function(x) return x end)
end

-- Structs and unions without a declarator are members.
ffi.cdef "typedef struct cl_foo { int a, b; } cl_foo_t;"
for _, row in ipairs {
  { "struct { int x; cl_foo_t; }", 12, 4 }, { "struct { int x; struct cl_foo; }", 12, 4 }, { "union { int x; cl_foo_t; }", 8, 0 },
  { "struct { int x; const cl_foo_t; }", 12, 4 },
} do
  check(ffi.sizeof(row[1]) == row[2] and ffi.offsetof(row[1], "a") == row[3], row[1])
end

-- Attributes change layouts; unknown ones are ignored.
for _, row in ipairs {
  { "struct { char c; int i; } __attribute__((packed))", 5 },
  { "struct { char c; int i __attribute__((packed)); short s; }", 8 },
  { "struct { char c; int i __attribute__((aligned(16))); }", 32 },
  { "struct { char c; } __attribute__((aligned(8)))", 8 },
  { "struct { int __attribute__((mode(HI))) i; char c; }", 4 },
  { "float __attribute__((vector_size(8)))", 8 },
  { "struct { char c; float v __attribute__((vector_size(16))); }", 32 },
  { "int __attribute__((unused))", 4 },
  { "struct { int i __attribute__((deprecated)); }", 4 },
  { "int (__attribute__((cdecl)) *)(int)", word },
} do
  check(ffi.sizeof(row[1]) == row[2], row[1])
end

-- Offsets of members, also of transparent ones.
ffi.cdef [[
struct cl_offsets {
  char c;
  struct { short s; union { int i; float f; }; };
  struct { double d; } named;
  int a[3];
  struct cl_offsets *self;
};
#pragma pack(push, 1)
struct cl_packed { char c; int i; double d; };
#pragma pack(pop)
struct cl_unpacked { char c; int i; double d; };
#pragma pack(2)
struct cl_two { char c; int i; };
#pragma pack()
]]
for _, row in ipairs {
  { "c", 0 }, { "s", 4 }, { "i", 8 }, { "f", 8 }, { "named", 8 + word }, { "a", 16 + word }, { "self", word == 8 and 40 or 32 },
} do
  check(ffi.offsetof("struct cl_offsets", row[1]) == row[2], row[1])
end
check(ffi.sizeof "struct cl_offsets" == (word == 8 and 48 or 36))
check(ffi.sizeof "struct cl_packed" == 13)
check(ffi.offsetof("struct cl_packed", "d") == 5)
check(ffi.sizeof "struct cl_unpacked" == 16)
check(ffi.sizeof "struct cl_two" == 6)

-- Comments, line continuations, semicolons.
ffi.cdef [[
// a comment to the end of the line
typedef /* inside */ int cl_commented; /* over
several lines */ typedef unsigned cl_after;
extern int cl_first, *cl_second, cl_third[3], (*cl_fourth)(void);
typedef int cl_a, *cl_b, cl_c[2], (*cl_d)(int);
struct cl_pair { int a, b; };
]]
ffi.cdef "struct cl_single { int a, b; }"
check(ffi.sizeof "cl_commented" == 4)
check(ffi.sizeof "cl_after" == 4)
check(ffi.sizeof "cl_b" == word)
check(ffi.sizeof "cl_c" == 8)
check(ffi.sizeof "struct cl_pair" == 8)
check(ffi.sizeof "struct cl_single" == 8, "the semicolon of a single declaration may be missing")
check(ffi.typeof "cl_a" == ffi.typeof "int", "a typedef is its type")
check(ffi.typeof "cl_b" == ffi.typeof "int *")
check(ffi.typeof "cl_c" == ffi.typeof "int[2]")
ffi.cdef ""
ffi.cdef ";;"
ffi.cdef "  "

-- One type, many spellings.
for _, row in ipairs {
  { "unsigned", "unsigned int" }, { "signed", "int" }, { "short", "short int" }, 
  { "unsigned char", "uint8_t" }, { "unsigned short", "uint16_t" }, 
  { "const int", "int const" }, { "char const *", "const char *" }, { "int unsigned", "uint32_t" }, { "int32_t", "int" },
  { "bool", "_Bool" }, { "complex", "complex double" }, { "int[ 3 ]", "int[3]" }, { "int[2+1]", "int[3]" }, { "int[0x3]", "int[3]" },
  { "struct cl_pair", "struct cl_pair" }, { "int*", "int *" }, { "void const *", "const void *" }, { "int (*)", "int *" },
  { "int (*)[3]", "int(*)[3]" }, { "__int32", "int" }, { "short unsigned", "unsigned short" },
} do
  check(ffi.typeof(row[1]) == ffi.typeof(row[2]), row[1])
end
for _, row in ipairs {
  { "int", "unsigned" }, { "int", "const int" }, { "char", "unsigned char" }, { "float", "double" }, { "int *", "const int *" },
  { "int[2]", "int[3]" }, { "int *", "int **" }, { "struct { int a; }", "struct { int a; }" }, { "int", "int &" }, { "int *", "int *const" },
} do
  check(ffi.typeof(row[1]) ~= ffi.typeof(row[2]), row[1] .. " and " .. row[2])
end

-- Constant expressions: in array lengths, enums, bit-fields, static const.
ffi.cdef [[
enum cl_values {
  CL_ZERO, CL_ONE, CL_TEN = 10, CL_ELEVEN, CL_NEGATIVE = -5, CL_MINUS_FOUR,
  CL_SUM = 3 + 4 * 5, CL_PAREN = (3 + 4) * 5, CL_SHIFT = 1 << 10, CL_RIGHT = 1024 >> 3, CL_OR = 8 | 1, CL_AND = 12 & 10,
  CL_XOR = 12 ^ 10, CL_NOT = ~0, CL_BANG = !5, CL_BANG0 = !0, CL_LT = 1 < 2, CL_GE = 1 >= 2, CL_EQ = 3 == 3, CL_NE = 3 != 3,
  CL_LAND = 1 && 0, CL_LOR = 1 || 0, CL_TERNARY = 1 ? 42 : 43, CL_DIV = 17 / 5, CL_MOD = 17 % 5, CL_NDIV = -17 / 5, CL_NMOD = -17 % 5,
  CL_HEX = 0xff, CL_OCT = 017, CL_CHAR = 'a', CL_NEWLINE = '\n', CL_ESCAPE = '\e', CL_HEXCHAR = '\x41', CL_OCTCHAR = '\101', CL_QUOTE = '\'',
  CL_SIZEOF = sizeof(int), CL_SIZEOF_ARRAY = sizeof(int[4]), CL_ALIGNOF = __alignof__(double), CL_SUFFIX = 5u,
  CL_UNARY = - - 5, CL_PLUS = +5, CL_REFERS = CL_TEN * 2, CL_MAX = 0x7fffffff, CL_COMPARE = -1 < 0u
};
struct cl_scoped { static const int SIZE = 4; enum { CL_INNER = 77 }; int v[4]; };
static const int cl_constant = 99;
static const int cl_derived = cl_constant + 1;
typedef char cl_lengths[CL_TEN + sizeof(short)];
]]
for name, value in pairs {
  ZERO = 0, ONE = 1, TEN = 10, ELEVEN = 11, NEGATIVE = -5, MINUS_FOUR = -4, SUM = 23, PAREN = 35, SHIFT = 1024, RIGHT = 128,
  OR = 9, AND = 8, XOR = 6, NOT = -1, BANG = 0, BANG0 = 1, LT = 1, GE = 0, EQ = 1, NE = 0, LAND = 0, LOR = 1, TERNARY = 42,
  DIV = 3, MOD = 2, NDIV = -3, NMOD = -2, HEX = 255, OCT = 15, CHAR = 97, NEWLINE = 10, ESCAPE = 27, HEXCHAR = 65,
  OCTCHAR = 65, QUOTE = 39, SIZEOF = 4, SIZEOF_ARRAY = 16, ALIGNOF = 8, SUFFIX = 5, UNARY = 5, PLUS = 5,
  REFERS = 20, MAX = 2147483647, COMPARE = 0,
} do
  check(ffi.C["CL_" .. name] == value, name)
end
check(ffi.C.CL_INNER == 77, "constants of an unnamed enum in a struct are global, too")

-- Constants of a struct, through a variable.
ffi.cdef "extern struct cl_scoped cl_object, *cl_pointer, cl_objects[2]; extern struct { struct cl_scoped inner; } cl_outer;"
for _, row in ipairs {
  { "char[cl_object.SIZE]", 4 }, { "char[cl_object.CL_INNER]", 77 }, { "char[cl_pointer->SIZE]", 4 }, { "char[cl_objects[0].SIZE + 1]", 5 },
  { "char[cl_objects->SIZE]", 4 }, { "char[(cl_object).SIZE * 2]", 8 }, { "char[cl_outer.inner.SIZE]", 4 }, { "char[sizeof(cl_object.v)]", 16 },
  { "struct { uint8_t a : cl_object.SIZE, b : cl_object.SIZE; }", 1 }, { "struct { char c; int x __attribute__((aligned(cl_object.SIZE * 4))); }", 32 },
  { "char[sizeof *cl_pointer]", 16 },
} do
  check(ffi.sizeof(row[1]) == row[2], row[1])
end
fails("no member", ffi.typeof, "char[cl_object.NONE]")
fails("no member", ffi.typeof, "char[cl_pointer.SIZE]")

-- A variable that each C file has for itself has a type, and no symbol.
if differs "static-variables" then
  ffi.cdef 'static int cl_static; static const char *const cl_names[] = { "a", "b" }; static int cl_static; extern int cl_static;'
  check(ffi.sizeof "char[sizeof(cl_static)]" == 4 and ffi.sizeof "char[sizeof(cl_names)]" == 2 * word)
  fails("no library exports 'cl_static': it is declared 'static'", function() return ffi.C.cl_static end)
  fails("no library exports 'cl_names': it is declared 'static'", function() ffi.C.cl_names = nil end)
end

-- Several alignments of one thing, and those that are no powers of two: C's rules, which LuaJIT does not keep.
if differs "alignment" then
  for _, row in ipairs {
    { "struct { char c; int x __attribute__((aligned(16))) __attribute__((aligned(8))); }", 16 },
    { "struct { char c; int x __attribute__((aligned(8), aligned(16))); }", 16 },
    { "struct { char c; int __attribute__((aligned(16))) x __attribute__((aligned(8))); }", 16 },
    { "struct { char c; int x; } __attribute__((aligned(16))) __attribute__((aligned(8)))", 8 },
    { "struct __attribute__((aligned(16))) { char c; int x; } __attribute__((aligned(8)))", 8 },
    { "struct { char c; int x; } __attribute__((aligned(8), aligned(16)))", 16 },
    { "struct { char c; int x; } __attribute__((aligned(2)))", 4 }, { "struct { char c; int x __attribute__((aligned(2))); }", 4 },
  } do
    check(ffi.alignof(row[1]) == row[2], row[1])
  end
  fails("alignment 3 is not a power of two", ffi.typeof, "struct { char c; int x __attribute__((aligned(3))); }")
  ffi.cdef "typedef int cl_int8 __attribute__((aligned(8)));"
  fails("elements are aligned more than they are large", ffi.typeof, "cl_int8[2]")
end

-- Two members of one name.
if differs "redeclaration" then
  fails("second member 'a'", ffi.typeof, "struct { int a; int a; }")
  fails("second member 'v'", ffi.typeof, "struct { struct cl_scoped; int v; }")
else
  check(ffi.offsetof("struct { int a; int a; }", "a") == 0 and ffi.sizeof "struct { int a; int a; }" == 8)
end
check(ffi.C.cl_constant == 99)
check(ffi.C.cl_derived == 100)
check(ffi.sizeof "cl_lengths" == 12)
check(ffi.sizeof "struct cl_scoped" == 16)
check(ffi.typeof("struct cl_scoped").SIZE == 4)
check(ffi.typeof("struct cl_scoped").CL_INNER == 77)
check(ffi.new("struct cl_scoped").CL_INNER == 77)

-- Names: members, tags and typedefs have spaces of their own; declarations may shadow in a struct.
ffi.cdef [[
struct cl_name { int cl_name; };
typedef struct cl_name cl_name;
struct cl_forward;
typedef struct cl_forward *cl_forward_pointer;
struct cl_forward { cl_forward_pointer next; int value; };
typedef struct cl_list { struct cl_list *next; } cl_list;
enum cl_late;
enum cl_late { CL_LATE = 3 };
]]
check(ffi.new("cl_name", 5).cl_name == 5)
check(ffi.sizeof "struct cl_forward" == 2 * word)
local node = ffi.new("struct cl_forward", nil, 8)
node.next = node
check(node.next.next.value == 8)
check(ffi.sizeof "cl_list" == word)
check(ffi.sizeof "enum cl_late" == 4)
check(ffi.C.CL_LATE == 3)

-- Functions: prototypes in all their forms.
ffi.cdef [[
int cl_f1(void);
int cl_f2();
extern int cl_f3(int a, const char *b, ...);
static inline int cl_f4(int x) { return x + (x ? 1 : 2); }
int cl_f5(int a[], int b[3], int c[const 4], int (f)(int));
int (*cl_f6(int x))(double);
void cl_f7(void (*)(int), struct cl_pair, enum cl_late);
int cl_f8(register int x), cl_f9(int);
__attribute__((noreturn)) void cl_f10(int) __attribute__((nothrow));
int __cdecl cl_f11(int);
int cl_f12(int) __asm__("abs");
char *cl_f13(size_t (*callback)(void *, unsigned char const *restrict, va_list), __builtin_va_list);
]]
check(ffi.C.cl_f12(-3) == 3)
fails("cl_f1", function() return ffi.C.cl_f1 end)

-- References.
check(ffi.sizeof "int &" == 4)
check(tostring(ffi.typeof "int &") == "ctype<int &>")

-- Texts that are not C.
for _, text in ipairs {
  "x;", "foo bar;", "int 5;", "struct {", "int x[;", "int f(int;", "enum { A B };", "enum { 5 };", "@", "$ x;", "int 'c';", "\"text\";",
  "struct cl_undefined v;x y", "struct { int }; x", "typedef;x",
} do
  fails(".", ffi.cdef, text)
end
for _, text in ipairs {
  "", "5", "no_such_type", "int[", "int]", "int(", "int)", "int **[", "int;", "int, int", "struct", "enum", "*", "int[-1]",
  "int $", "'c'", "int @", "int[3][]x", "int x;",
} do
  fails(".", ffi.typeof, text)
end

-- Zero-length arrays, empty structs, variable lengths.
check(ffi.sizeof(ffi.new "char[0]") == 0)
check(ffi.sizeof(ffi.new "struct { }") == 0)
check(ffi.sizeof(ffi.new("int[?]", 0)) == 0)
check(ffi.sizeof(ffi.new("char[?]", 7)) == 7)
check(ffi.sizeof("double[?]", 3) == 24)
check(ffi.sizeof(ffi.new("struct { int n; int v[?]; }", 5)) == 24)

-- Re-declarations that say the same are free; functions and variables may come again.
ffi.cdef "int cl_again(int); int cl_again(int x); typedef int cl_again_t; typedef int cl_again_t; extern int cl_again_v; extern int cl_again_v;"
check(ffi.sizeof "cl_again_t" == 4)
