-- ffi.fields, ffi.info, ffi.eval: what LuaJIT's own ffi does not have.
local ffi = require "ffi"
if jit then return end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, expected: " .. pattern)
  assert(tostring(message):find(pattern), tostring(message) .. " (expected: " .. pattern .. ")")
end

ffi.cdef [[
  struct refl_point { int x, y; };
  typedef struct refl_shape {
    const char *name;
    unsigned kind : 3;
    int signed_bits : 5;
    union { double radius; struct { float width, height; }; };
    struct refl_point points[2];
    const struct { uint8_t r, g, b; };
    short tail[];
  } refl_shape;
  union refl_union { int i; float f; };
  struct refl_opaque;
  struct refl_constants { int a; static const int LIMIT = 7; };
  enum refl_color { REFL_RED, REFL_GREEN = 5, REFL_BLUE = -1 };
  int refl_mix(const char *text, struct refl_point *where, double) __asm__("strlen");
  int printf(const char *format, ...);
]]

-- ffi.fields: a list, anonymous members in place.
local names = {}
for i, field in ipairs(ffi.fields "refl_shape") do names[i] = field.name end
assert(table.concat(names, " ") == "name kind signed_bits radius width height points r g b tail")
local fields = {}
for _, field in ipairs(ffi.fields "refl_shape") do
  fields[field.name] = field
  -- The same places as ffi.offsetof.
  local offset, bit, width = ffi.offsetof("refl_shape", field.name)
  assert(offset == field.offset and bit == field.bit and width == field.width, field.name)
  assert(field.size == nil or field.size == ffi.sizeof(field.type), field.name)
end
assert(fields.name.type == ffi.typeof "const char *" and fields.name.size == ffi.sizeof "void *" and fields.name.bit == nil)
assert(fields.kind.width == 3 and fields.kind.bit == 0 and fields.signed_bits.bit == 3)
assert(fields.radius.offset == fields.width.offset and fields.height.offset == fields.width.offset + 4)
assert(fields.points.type == ffi.typeof "struct refl_point[2]" and fields.points.size == 16)
assert(tostring(fields.r.type) == "ctype<const unsigned char>")
assert(fields.tail.size == nil and tostring(fields.tail.type) == "ctype<short []>")

-- Of a ctype, a value, a pointer.
local point = ffi.new("struct refl_point", 1, 2)
for _, subject in ipairs { ffi.typeof "struct refl_point", point, ffi.addressof(point), "const struct refl_point *" } do
  local list = ffi.fields(subject)
  assert(#list == 2 and list[2].name == "y" and list[2].offset == 4)
end
-- Enough to print any struct.
local shown = {}
for _, field in ipairs(ffi.fields(point)) do shown[#shown + 1] = field.name .. "=" .. tostring(point[field.name]) end
assert(table.concat(shown, ",") == "x=1,y=2")
assert(#ffi.fields "struct {}" == 0)
fails("struct or union expected, got 'int'", ffi.fields, "int")
fails("'struct refl_opaque' is incomplete", ffi.fields, "struct refl_opaque")
fails("bad argument #1.*C type expected", ffi.fields, 5)

-- ffi.info: numbers.
local int = ffi.info "int"
assert(int.kind == "int" and int.size == 4 and int.alignment == 4 and int.signed == true and int.c == "int")
assert(int.type == ffi.typeof "int" and int.const == false and int.volatile == false)
assert(ffi.info("uint64_t").signed == false and ffi.info("uint64_t").size == 8)
assert(ffi.info("double").kind == "float" and ffi.info("bool").kind == "bool")
assert(ffi.info("void").kind == "void" and ffi.info("void").size == nil)
assert(ffi.info("const volatile int").const and ffi.info("const volatile int").volatile)
local complex = ffi.info "float complex"
assert(complex.kind == "complex" and complex.element == ffi.typeof "float" and complex.size == 8)

-- Derived types.
local pointer = ffi.info "const char *"
assert(pointer.kind == "pointer" and tostring(pointer.element) == "ctype<const char>" and pointer.c == "const char *")
local array = ffi.info "int[3][4]"
assert(array.kind == "array" and array.count == 3 and array.element == ffi.typeof "int[4]" and array.size == 48)
assert(ffi.info("int[?]").variable == true and ffi.info("int[?]").count == nil and ffi.info("int[?]").size == nil)
assert(ffi.info("int[]").variable == nil and ffi.info("int[]").count == nil)
local vector = ffi.info "float __attribute__((vector_size(16)))"
assert(vector.kind == "vector" and vector.count == 4 and vector.element == ffi.typeof "float")
assert(ffi.info("int &").kind == "reference" and ffi.info("int &").element == ffi.typeof "int")

-- Structs and unions: anonymous members as they were declared.
local shape = ffi.info "refl_shape"
assert(shape.kind == "struct" and shape.tag == "refl_shape" and shape.complete and shape.alignment == ffi.alignof "refl_shape")
assert(#shape.members == 7 and shape.members[4].name == nil)
local inner = ffi.info(shape.members[4].type)
assert(inner.kind == "union" and inner.tag == nil and #inner.members == 2 and inner.members[1].name == "radius")
assert(ffi.info("union refl_union").kind == "union")
local opaque = ffi.info "struct refl_opaque"
assert(opaque.complete == false and opaque.members == nil and opaque.size == nil and opaque.c == "struct refl_opaque")
assert(ffi.info("struct refl_constants").constants.LIMIT == 7)
assert(ffi.info("struct refl_point").c == "struct refl_point { int x; int y; }")
-- The text in `c` is C: it declares a struct of the same layout under another name.
local copy = ffi.info("refl_shape").c:gsub("refl_shape", "refl_copy", 1)
ffi.cdef(copy .. ";")
assert(ffi.sizeof "struct refl_copy" == ffi.sizeof "refl_shape")
assert(ffi.offsetof("struct refl_copy", "tail") == ffi.offsetof("refl_shape", "tail"))

-- Enums.
local color = ffi.info "enum refl_color"
assert(color.kind == "enum" and color.tag == "refl_color" and color.base == ffi.typeof "int")
assert(#color.constants == 3 and color.constants[2].name == "REFL_GREEN" and color.constants[2].value == 5)
assert(color.constants[3].value == -1)

-- Functions: the type, a declared name, the function itself.
local type_only = ffi.info "int (int, double)"
assert(type_only.kind == "function" and #type_only.arguments == 2 and type_only.arguments[1].name == nil)
assert(type_only.name == nil and type_only.variadic == false)
local mix = ffi.info "refl_mix"
assert(mix.name == "refl_mix" and mix.symbol == "strlen" and mix.result == ffi.typeof "int")
assert(mix.arguments[1].name == "text" and mix.arguments[1].type == ffi.typeof "const char *")
assert(mix.arguments[2].name == "where" and mix.arguments[3].name == nil)
assert(mix.c == "int refl_mix(const char *, struct refl_point *, double)")
local printf = ffi.info(ffi.C.printf)
assert(printf.variadic and printf.name == "printf" and printf.arguments[1].name == "format")
if ffi.arch == "x64" and ffi.os == "Linux" then
  assert(printf.convention == "sysv64")
  assert(ffi.info("int __attribute__((ms_abi)) (int)").convention == "win64")
end
local callback = ffi.info "int (*)(int)"
assert(callback.kind == "pointer" and ffi.info(callback.element).result == ffi.typeof "int")
fails("no_such_refl", ffi.info, "no_such_refl")
fails("bad argument #1.*C type expected, got nil", ffi.info, nil)

-- ffi.eval: constant expressions.
ffi.cdef "static const int REFL_BASE = 16; typedef long refl_long;"
assert(ffi.eval "1 + 2 * 3" == 7)
assert(num(ffi.eval "REFL_BASE * sizeof(refl_long)") == 16 * ffi.sizeof "long")
assert(ffi.eval "(int)(REFL_GREEN << 2 | 1)" == 21)
assert(ffi.eval "1.0 / 4" == 0.25)
assert(ffi.eval "'a'" == 97)
assert(ffi.eval "(unsigned char)-1" == 255 and ffi.eval "-1 < 0u" == 0)
assert(tostring(ffi.eval "0xffffffffffffffffULL") == "18446744073709551615ULL")
assert(tostring(ffi.eval "~0ULL >> 1"):gsub("ULL$", "") == "9223372036854775807")
assert(tostring(ffi.eval "-9223372036854775807LL - 1"):find "^-9223372036854775808")
assert(num(ffi.eval("sizeof($) + $", ffi.typeof "int[3]", 1)) == 13)
assert(ffi.eval "(_Bool)5" == true)
assert(ffi.eval "(void *)0" == ffi.NULL)
assert(num(ffi.eval "offsetof(struct refl_point, y)") == 4)
fails("no_such_refl", ffi.eval, "no_such_refl + 1")
fails("end of the expression", ffi.eval, "1 2")
fails("expected", ffi.eval, "")
fails("division by zero", ffi.eval, "1 / 0")
fails("constant", ffi.eval, "*(int *)8")
fails("bad argument #1.*string expected, got number", ffi.eval, 5)

-- A type that leads back to itself prints once.
ffi.cdef "struct refl_list { struct refl_list *next; struct refl_list *(*step)(struct refl_list *); };"
local printed = ffi.info("struct refl_list").c
assert(select(2, printed:gsub("{", "")) == 1, printed)
