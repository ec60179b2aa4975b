-- Modules whose declarations differ a little load together: functions, variables and typedefs keep their first declaration.
local ffi = require "ffi"
ffi.cdef "int abs(int); typedef int rd_t; extern char **environ; typedef struct { int a; } rd_s;"
ffi.cdef "double abs(double); typedef double rd_t; extern int environ; typedef struct { int a, b; } rd_s;"
print(ffi.C.abs(-5), ffi.sizeof "rd_t", ffi.sizeof "rd_s", ffi.typeof(ffi.C.environ) == ffi.typeof "char **")
ffi.cdef "void free(void *);"
ffi.cdef "int free(void *); int rd_t(int);"
print(ffi.C.free(nil), ffi.sizeof "rd_t")
-- Names that need no declaration keep their types.
ffi.cdef "typedef unsigned int size_t; typedef int int8_t; typedef unsigned short wchar_t; size_t strlen(const char *);"
print(ffi.sizeof "size_t", ffi.sizeof "int8_t", ffi.sizeof "wchar_t", tostring(ffi.C.strlen "four"))
-- Constants, tags and bodies do not.
ffi.cdef "enum rd_e { RD_K = 1 }; struct rd_r { int a; };"
for _, text in ipairs { "enum { RD_K = 2 };", "enum rd_e { RD_L };", "struct rd_r { int a, b; };", "union rd_r { int a; };" } do
  print(text, (pcall(ffi.cdef, text)))
end
-- A struct or union without a declarator is a member.
ffi.cdef "typedef struct rd_foo { int a, b; } rd_foo_t; typedef union { int q; float w; } rd_un_t;"
for _, text in ipairs {
  "struct { int x; rd_foo_t; }", "struct { int x; struct rd_foo; }", "struct { int x; rd_un_t; }", "union { int x; rd_foo_t; }",
  "struct { int x; const rd_foo_t; }", "struct { rd_foo_t; rd_un_t; }", "struct { int x; rd_foo_t __attribute__((aligned(16))); }",
} do
  print(text, ffi.sizeof(text), ffi.offsetof(text, "a"), ffi.offsetof(text, "b"), ffi.offsetof(text, "q"))
end
local v = ffi.new("struct { int x; rd_foo_t; }", { x = 1, a = 2, b = 3 })
print(v.x, v.a, v.b)
-- Two members of a name: the first is found by it.
ffi.cdef "typedef struct { int b1, b2; } rd_bar; typedef struct { char f1; short f2; } rd_two;"
for _, text in ipairs {
  "struct { rd_bar; rd_bar; }", "struct { rd_two; rd_two; char b1; }", "struct { int b1; rd_bar; }", "struct { rd_bar; int b1; }", "union { rd_bar; rd_bar; }",
  "struct { int b1; int b1; char b2; }", "struct { struct { int b1; }; struct { int b2; int b1; }; }", "struct { rd_bar, rd_bar; }", "struct { rd_bar; rd_bar x; }",
  "struct { char b1; union { int b2; double b1; }; }", "struct { int b2; struct { struct { char c; rd_bar; }; }; }",
} do
  print(text, ffi.sizeof(text), ffi.offsetof(text, "b1"), ffi.offsetof(text, "b2"))
end
local twice = ffi.new("struct { rd_bar; rd_bar; }", 1, 2, 3, 4)
print(twice.b1, twice.b2, ffi.cast("int *", twice)[2], ffi.cast("int *", twice)[3])
twice.b2 = 7
print(ffi.cast("int *", twice)[1], ffi.cast("int *", twice)[3])
local same = ffi.new("struct { int q; int q; }", 1, 2)
print(same.q, ffi.cast("int *", same)[1])
