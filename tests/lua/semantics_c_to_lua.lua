-- FFI Semantics: "Conversions from C types to Lua objects"
-- Reads of C values: variables, members, elements, results.
local ffi = require "ffi"

local function member(ctype, value)
  local array = ffi.new(ctype .. "[1]")
  array[0] = value
  return array[0]
end

-- Integers up to 32 bits become Lua numbers, with their sign.
for _, case in ipairs {
  { "int8_t", -128 }, { "int8_t", 127 }, { "uint8_t", 255 }, { "signed char", -1 },
  { "unsigned char", 200 }, { "int16_t", -32768 }, { "uint16_t", 65535 }, { "short", -2 },
  { "int32_t", -2147483648 }, { "int", 2147483647 }, { "uint32_t", 4294967295 },
  { "unsigned int", 7 },
} do
  local value = member(case[1], case[2])
  check(type(value) == "number", case[1])
  check(value == case[2], case[1])
  if native64 then check(math.type(value) == "integer", case[1]) end
end

-- Floating-point numbers become Lua numbers.
for _, case in ipairs {
  { "float", 1.5 }, { "double", 0.1 }, { "double", 1e300 }, { "double", -0.0 }, { "float", -2 ^ 100 },
} do
  local value = member(case[1], case[2])
  check(type(value) == "number" and value == case[2], case[1])
  if native64 then check(math.type(value) == "float", case[1]) end
end
check(member("float", 0.1) ~= 0.1, "float rounds")
check(member("double", 0 / 0) ~= member("double", 0 / 0), "NaN stays NaN")
check(member("double", 1 / 0) == 1 / 0)

-- bool becomes a Lua boolean.
check(member("bool", true) == true)
check(member("bool", false) == false)
check(member("_Bool", 2) == true)

-- 64-bit integers: in LuaJIT both are boxed. With native 64-bit integers int64_t is a Lua number, and uint64_t below 2^63; what
-- is above is a cdata, so that it never turns negative.
local i64, u64 = member("int64_t", -5), member("uint64_t", 5)
if native64 and differs "int64" then
  check(math.type(i64) == "integer" and i64 == -5)
  check(member("int64_t", math.mininteger) == math.mininteger)
  check(math.type(u64) == "integer" and u64 == 5)
  check(member("uint64_t", math.maxinteger) == math.maxinteger)
  check(tostring(member("uint64_t", ffi.new("uint64_t", 2 ^ 63))) == "9223372036854775808ULL")
  check(("%d"):format(member("size_t", 5)) == "5" and ("x"):rep(member("uintptr_t", 3)) == "xxx")
else
  check(tostring(i64) == "-5LL")
  check(tostring(u64) == "5ULL")
  check(ffi.istype("uint64_t", u64))
end
check(tostring(member("uint64_t", ffi.new("int64_t", -1))) == "18446744073709551615ULL")
check(ffi.istype("uint64_t", member("uint64_t", ffi.new("int64_t", -1))))

-- complex becomes a cdata that holds a copy.
local z = ffi.new("complex[1]")
z[0] = ffi.new("complex", 1, 2)
local copy = z[0]
z[0] = ffi.new("complex", 3, 4)
check(copy.re == 1 and copy.im == 2)
check(z[0].re == 3)

-- Pointers become cdata that hold a copy of the pointer.
local numbers = ffi.new("int[3]", 10, 20, 30)
local pointers = ffi.new("int *[2]")
pointers[0], pointers[1] = numbers, numbers + 1
local p = pointers[0]
pointers[0] = nil
check(p[0] == 10 and p[2] == 30)
check(pointers[1][0] == 20)
check(ffi.istype("int *", p))
check(tostring(pointers[0]) == "cdata<int *>: NULL")

-- Structs, unions and arrays become references: writes go through.
ffi.cdef [[
  struct c2l_inner { int a; float b; };
  struct c2l_outer { struct c2l_inner in; int grid[2][3]; union { int i; float f; } u; };
]]
local outer = ffi.new("struct c2l_outer")
local inner, row, u = outer["in"], outer.grid[1], outer.u
inner.a, row[2], u.i = 7, 9, 0x3f800000
check(outer["in"].a == 7 and outer.grid[1][2] == 9 and outer.u.f == 1)
check(ffi.typeof(inner) == ffi.typeof("struct c2l_inner &"))
check(ffi.istype("struct c2l_inner", inner))
check(ffi.sizeof(inner) == 8 and ffi.sizeof(row) == 12)

-- A reference is resolved before it is converted.
check(tostring(inner):find("^cdata<struct c2l_inner &>: 0x"))
check(tostring(row):find("^cdata<int %(&%)%[3%]>: 0x"))

-- An enum value: LuaJIT boxes it. PUC Lua never compares a cdata with a number as equal, so it is a number there.
ffi.cdef [[ enum c2l_color { C2L_RED, C2L_GREEN = 5, C2L_BLUE }; struct c2l_paint { enum c2l_color color; }; ]]
local paint = ffi.new("struct c2l_paint", { "C2L_BLUE" })
check(num(paint.color) == 6)
check(paint.color == ffi.C.C2L_BLUE)

-- Vectors become cdata that hold a copy; their elements are constant.
local v = ffi.new("int __attribute__((vector_size(16))) [1]")
local vcopy = v[0]
check(vcopy[3] == 0)
check(not pcall(function() vcopy[0] = 1 end))
