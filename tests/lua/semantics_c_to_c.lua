-- FFI Semantics: "Conversions between C types", and ffi.cast
local ffi = require "ffi"

ffi.cdef [[
  struct c2c_a { int x; };
  struct c2c_b { int x; };
  enum c2c_e { C2C_ONE = 1, C2C_TWO };
]]

-- Integer to integer: narrowing keeps the low bits, widening extends by the source's sign.
for _, case in ipairs {
  { "int8_t", "int", 300, 44 }, { "uint8_t", "int", -1, 255 }, { "int", "int8_t", -1, -1 },
  { "int", "uint8_t", 255, 255 }, { "uint32_t", "int8_t", -1, 4294967295 },
  { "int16_t", "uint16_t", 65535, -1 }, { "uint16_t", "int8_t", -2, 65534 },
  { "int32_t", "uint32_t", 4294967295, -1 },
} do
  local to, from, value, expected = case[1], case[2], case[3], case[4]
  check(num(ffi.cast(to, ffi.new(from, value))) == expected, from .. " to " .. to)
  check(num(ffi.new(to, ffi.new(from, value))) == expected, from .. " to " .. to)
end
check(tostring(ffi.cast("uint64_t", ffi.new("int8_t", -1))) == "18446744073709551615ULL")
check(tostring(ffi.cast("int64_t", ffi.new("uint32_t", -1))) == "4294967295LL")
local umax = ffi.cast("uint64_t", ffi.new("int64_t", -1))
check(tostring(umax) == "18446744073709551615ULL")
check(tostring(ffi.cast("int64_t", umax)) == "-1LL")

-- Floating point to integer truncates; integer to floating point rounds.
check(num(ffi.cast("int", ffi.new("double", -7.9))) == -7)
check(num(ffi.cast("int", ffi.new("float", 7.9))) == 7)
check(num(ffi.cast("double", ffi.new("int64_t", 2 ^ 53))) == 2 ^ 53)
check(num(ffi.cast("float", ffi.new("int", 16777217))) == 16777216)
check(num(ffi.cast("double", umax)) == 2 ^ 64)
if differs "negative-to-unsigned" then
  -- LuaJIT's documentation leaves a negative number open; it wraps here on every platform.
  check(tostring(ffi.cast("uint64_t", -1)) == "18446744073709551615ULL")
  check(tostring(ffi.cast("uint64_t", -1.5)) == "18446744073709551615ULL")
end
check(tostring(ffi.cast("uint64_t", ffi.new("double", 2 ^ 63))) == "9223372036854775808ULL")

-- To bool: whether it is not zero.
check(ffi.new("bool[1]", ffi.new("int", 256))[0] == true)
check(ffi.new("bool[1]", ffi.new("double", 0.25))[0] == true)
check(ffi.new("bool[1]", ffi.new("int64_t", 0))[0] == false)

-- Complex: the real part counts; a number becomes the real part.
local z = ffi.new("complex", 1.5, 2.5)
check(num(ffi.new("int", z)) == 1)
check(ffi.new("complex", ffi.new("double", 3)).re == 3)
check(ffi.new("complex", ffi.new("double", 3)).im == 0)
local zf = ffi.new("complex float", z)
check(zf.re == 1.5 and zf.im == 2.5)

-- Vector: a number goes into every element.
local v4 = ffi.typeof("int __attribute__((vector_size(16)))")
check(v4(ffi.new("int", 7))[3] == 7)

-- Enum: as its integer.
check(num(ffi.cast("int", ffi.new("enum c2c_e", "C2C_TWO"))) == 2)
check(num(ffi.cast("enum c2c_e", 2)) == 2)
check(num(ffi.cast("enum c2c_e", ffi.new("int64_t", 1))) == 1)

-- Pointers: the same type but for added qualifiers, and void both ways.
local ints = ffi.new("int[2]", 5, 6)
check(ffi.new("int *", ints)[1] == 6, "array to pointer")
check(ffi.new("const int *", ints)[1] == 6)
check(ffi.new("void *", ints) == ffi.cast("void *", ints))
check(ffi.new("unsigned int *", ints)[0] == 5, "signedness is ignored")
check(ffi.new("int *", ffi.new("void *", ints))[0] == 5)
fails("cannot convert 'const int %*' to 'int %*'", ffi.new, "int *", ffi.new("const int *", ints))
fails("cannot convert 'int %[2%]' to 'short %*'", ffi.new, "short *", ints)
fails("cannot convert 'int %[2%]' to 'float %*'", ffi.new, "float *", ints)
fails("cannot convert 'int %[2%]' to 'int %*%*'", ffi.new, "int **", ints)
fails("cannot convert 'const int %*' to 'void %*'", ffi.new, "void *", ffi.new("const int *", ints))
check(ffi.new("const void *", ffi.new("const int *", ints)) ~= nil)

-- Below the first level qualifiers must be the same.
local pp = ffi.new("int *[1]", { ints })
check(ffi.new("int **", pp)[0][1] == 6)
fails("cannot convert", ffi.new, "const int **", pp)

-- Structs: to a pointer to that struct; by value only to the same struct.
local a, b = ffi.new("struct c2c_a", 3), ffi.new("struct c2c_b", 4)
check(ffi.new("struct c2c_a *", a).x == 3)
check(ffi.new("void *", a) ~= nil)
fails("cannot convert 'struct c2c_a' to 'struct c2c_b %*'", ffi.new, "struct c2c_b *", a)
fails("cannot convert 'struct c2c_b' to 'struct c2c_a'", function()
  local array = ffi.new("struct c2c_a[1]")
  array[0] = b
end)
local copy = ffi.new("struct c2c_a", a)
copy.x = 10
check(a.x == 3 and copy.x == 10)

-- Arrays: by value only of the same type and length.
local source, target = ffi.new("int[2]", 1, 2), ffi.new("struct { int v[2]; }")
target.v = source
check(target.v[1] == 2)
fails("cannot convert 'int %[3%]' to 'int %[2%]'", function() target.v = ffi.new("int[3]") end)
check(ffi.new("int[2]", source)[1] == 2)

-- Casts: what assignment forbids.
check(num(ffi.cast("intptr_t", ffi.cast("void *", 4096))) == 4096)
check(num(ffi.cast("uint8_t", ffi.cast("void *", 0x1234))) == 0x34)
check(ffi.cast("int *", ffi.new("const int *", ints))[1] == 6)
check(ffi.cast("unsigned char *", ints)[4] == 6)
check(ffi.cast("struct c2c_b *", a).x == 3)
check(ffi.cast("char *", "text")[1] == ("e"):byte())
check(ffi.cast("void *", ffi.new("int64_t", 16)) == ffi.cast("char *", 16))
check(ffi.cast("int *", nil) == ffi.cast("void *", 0))
check(tostring(ffi.cast("void *", 0)) == "cdata<void *>: NULL")
check(ffi.cast("intptr_t", ints) == ffi.cast("intptr_t", ints + 0))
local same = ffi.new("int *", ints)
check(rawequal(ffi.cast("int *", same), same), "a cast to the same type is the same object")
for _, ctype in ipairs { "struct c2c_a", "int[2]", "void", "complex" } do
  fails("invalid C type", ffi.cast, ctype, 1)
end
fails("cannot convert 'table' to 'int'", ffi.cast, "int", {})
fails("cannot convert 'struct c2c_a' to 'int'", ffi.cast, "int", a)
fails("cannot convert 'table' to 'int %*'", ffi.cast, "int *", {})
