-- FFI Semantics: "Conversions between C types", numbers: every value into every type, by arithmetic of our own
local ffi = require "ffi"

-- Integers of 32 bits and less: value modulo 2^bits, into the range of the type.
local integers = {
  { "int8_t", 8, true }, { "uint8_t", 8 }, { "int16_t", 16, true }, { "uint16_t", 16 }, { "int32_t", 32, true }, { "uint32_t", 32 },
}
local function wrap(value, bits, signed)
  value = (value >= 0 and math.floor(value) or math.ceil(value)) % 2 ^ bits
  return signed and value >= 2 ^ (bits - 1) and value - 2 ^ bits or value
end
local values = { 0, 1, -1, 2, 100, 127, 128, -128, -129, 255, 256, 300, 32767, 32768, -32768, 65535, 65536, 1e6, 2147483647, -2147483648 }
for _, row in ipairs(integers) do
  local name, bits, signed = row[1], row[2], row[3]
  local array = ffi.new(name .. "[1]")
  for _, value in ipairs(values) do
    if signed or value >= 0 or bits < 32 then
      local expected = wrap(value, bits, signed)
      array[0] = value
      check(array[0] == expected, ("%s = %d"):format(name, value))
      check(num(ffi.cast(name, value)) == expected, ("cast to %s of %d"):format(name, value))
    end
  end
end

-- Fractions are cut off towards zero.
for _, row in ipairs(integers) do
  local name, _, signed = row[1], row[2], row[3]
  check(num(ffi.new(name, 7.99)) == 7, name)
  check(num(ffi.new(name, 0.5)) == 0, name .. " 0.5")
  check(num(ffi.cast(name, 100.7)) == 100, name .. " cast")
  if signed then
    check(num(ffi.new(name, -7.99)) == -7, name .. " negative")
    check(num(ffi.cast(name, -0.5)) == 0, name .. " negative cast")
  end
end

-- Booleans and cdata of every number type into every other.
local sources = {
  { "int8_t", -5 }, { "uint8_t", 200 }, { "int16_t", -300 }, { "uint16_t", 60000 }, { "int32_t", -70000 }, { "uint32_t", 3000000000 },
  { "int64_t", -5 }, { "uint64_t", 5000000000 }, { "float", 1.5 }, { "double", 1234.75 }, { "bool", true },
}
for _, source in ipairs(sources) do
  local from, value = source[1], source[2]
  local box = ffi.new(from, value)
  local number = value == true and 1 or value
  for _, row in ipairs(integers) do
    local to, bits, signed = row[1], row[2], row[3]
    check(num(ffi.new(to, box)) == wrap(number, bits, signed), from .. " to " .. to)
  end
  check(num(ffi.new("double", box)) == number, from .. " to double")
  check(num(ffi.cast("double", box)) == number, from .. " cast to double")
  check(ffi.new("bool[1]", box)[0] == true, from .. " to bool")
  if from == "bool" then
    fails("cannot convert 'bool' to 'complex'", ffi.new, "complex", box)
  else
    check(ffi.new("complex", box).re == number, from .. " to complex")
    check(ffi.new("complex", box).im == 0, from .. " to complex, im")
  end
  if from ~= "float" and from ~= "double" then
    same(ffi.new("int64_t", box), ("%.0f"):format(number))
    if number >= 0 then same(ffi.new("uint64_t", box), ("%.0f"):format(number)) end
  end
end

-- 64 bits: widening by the sign of the source.
for _, row in ipairs {
  { "int64_t", "int8_t", -1, "-1" }, { "uint64_t", "int8_t", -1, "18446744073709551615" }, { "int64_t", "uint8_t", 255, "255" },
  { "uint64_t", "int32_t", -2147483648, "18446744071562067968" }, { "int64_t", "uint32_t", 4294967295, "4294967295" },
  { "uint64_t", "uint32_t", 4294967295, "4294967295" }, { "int64_t", "double", -2 ^ 62, "-4611686018427387904" },
  { "uint64_t", "double", 2 ^ 63, "9223372036854775808" }, { "int64_t", "float", 2 ^ 40, "1099511627776" },
} do
  same(ffi.new(row[1], ffi.new(row[2], row[3])), row[4])
  same(ffi.cast(row[1], ffi.new(row[2], row[3])), row[4])
end

-- float rounds to nearest.
for _, row in ipairs {
  { 0.5, 0.5 }, { 16777216, 16777216 }, { 16777217, 16777216 }, { 16777219, 16777220 }, { -16777217, -16777216 }, { 1e-50, 0 },
  { 2 ^ -126, 2 ^ -126 }, { 2 ^ -149, 2 ^ -149 }, { 2 ^ 127, 2 ^ 127 }, { 1e39, 1 / 0 }, { -1e39, -1 / 0 }, { 1 / 0, 1 / 0 },
} do
  check(num(ffi.new("float", row[1])) == row[2], "float " .. row[1])
end
check(num(ffi.new("float", 0.1)) ~= 0.1)
check(num(ffi.new("float", 0 / 0)) ~= num(ffi.new("float", 0 / 0)))
check(1 / num(ffi.new("double", negative_zero)) == -1 / 0, "the sign of zero")
check(1 / num(ffi.new("float", negative_zero)) == -1 / 0)

-- "Number to bool: n == 0 is false, otherwise true."
for _, row in ipairs {
  { 0, false }, { -0.0, false }, { 1, true }, { -1, true }, { 0.1, true }, { 256, true }, { 1e300, true }, { true, true }, { false, false },
} do
  check(ffi.new("bool[1]", row[1])[0] == row[2], "bool " .. tostring(row[1]))
  check(ffi.new("struct { bool b; }", row[1]).b == row[2], "member " .. tostring(row[1]))
end

-- Enums are treated like their underlying type.
ffi.cdef "enum nc_e { NC_A, NC_B = 7, NC_C = -3 };"
for _, row in ipairs { { "NC_A", 0 }, { "NC_B", 7 }, { "NC_C", -3 } } do
  local e = ffi.new("enum nc_e", row[1])
  check(num(e) == row[2], row[1])
  check(num(ffi.cast("int", e)) == row[2], row[1] .. " to int")
  check(num(ffi.new("double", e)) == row[2], row[1] .. " to double")
  check(num(ffi.cast("int8_t", e)) == row[2], row[1] .. " to int8_t")
  same(ffi.new("int64_t", e), tostring(row[2]))
  check(num(ffi.new("enum nc_e", row[2])) == row[2], row[1] .. " from number")
  check(num(ffi.new("enum nc_e", ffi.new("short", row[2]))) == row[2], row[1] .. " from short")
end
check(num(ffi.new("enum nc_e", 1000)) == 1000, "any number")

-- Complex numbers.
local z = ffi.new("complex", 3.75, -2)
check(num(ffi.new("int", z)) == 3)
check(num(ffi.new("double", z)) == 3.75)
check(num(ffi.cast("uint8_t", z)) == 3)
check(ffi.new("complex float", z).im == -2)
check(ffi.new("complex", ffi.new("complex float", 0.5, 0.25)).re == 0.5)
check(ffi.new("complex[1]", z)[0].im == -2)

-- Vectors: a scalar is replicated, a vector of the same size copied.
local v4 = ffi.typeof "int __attribute__((vector_size(16)))"
for i = 0, 3 do
  check(v4(9)[i] == 9, "element " .. i)
  check(v4(ffi.new("uint8_t", 200))[i] == 200, "from uint8_t " .. i)
  check(v4(v4(1, 2, 3, 4))[i] == i + 1, "copy " .. i)
end

-- Pointers and integers: casts only.
check(num(ffi.cast("uintptr_t", ffi.cast("void *", 0x12345678))) == 0x12345678)
check(num(ffi.cast("uint8_t", ffi.cast("int *", 0x12345678))) == 0x78)
check(num(ffi.cast("int16_t", ffi.cast("int *", 0x1234ffff))) == -1)
check(ffi.cast("char *", 16) + 4 == ffi.cast("char *", 20))
check(ffi.cast("char *", ffi.new("uint16_t", 65535)) == ffi.cast("char *", 65535))
local high = ffi.abi "64bit" and 2 ^ 40 or 2 ^ 31
check(ffi.cast("void *", ffi.new("uint64_t", high)) == ffi.cast("void *", high))
local numbers = ffi.new("int[2]")
check(num(ffi.cast("intptr_t", numbers + 1)) - num(ffi.cast("intptr_t", numbers)) == 4)
for _, row in ipairs {
  { "int", "int *" }, { "double", "int *" }, { "complex", "int *" }, { "int *", "complex" }, { "int *", "double" }, { "int *", "float" },
  { "struct { int a; }", "int" }, { "int", "int (*)(void)" },
} do
  local value = ffi.new(row[1])
  fails("cannot convert", ffi.new, row[2], value)
end
