-- FFI Semantics: "Conversions for vararg C function arguments"
local ffi = require "ffi"
ffi.cdef [[
int snprintf(char *buffer, size_t size, const char *format, ...);
int sscanf(const char *text, const char *format, ...);
int abs(int);
struct va_pair { int a, b; };
enum va_e { VA_FIVE = 5 };
]]
local buffer = ffi.new "char[256]"
local function format(...)
  local n = ffi.C.snprintf(buffer, 256, ...)
  return ffi.string(buffer, n)
end

-- number: double.
for _, row in ipairs {
  { "%g", 0.5 }, { "%g", -1.5 }, { "%.3f", 0.125 }, { "%.1f", 1e10 + 0.5 }, { "%e", 1e-300 }, { "%g", 1 / 0 },
  { "%08.3f", 3.14159 }, { "%+g", 2.5 }, { "%g%%", 99.5 },
} do
  check(format(row[1], row[2]) == row[1]:format(row[2]), row[1] .. " " .. row[2])
end

-- boolean: bool, promoted to int.
check(format("%d", true) == "1")
check(format("%d", false) == "0")
check(format("%d%d%d", true, false, true) == "101")

-- nil: a NULL pointer.
check(format("%p", nil) == "(nil)")
check(format("%s", nil) == "(null)")
check(format("%d %p", true, nil) == "1 (nil)", "at the end, too")

-- string: const char *.
check(format("%s", "text") == "text")
check(format("%s", "") == "")
check(format("%.2s", "text") == "te")
check(format("%s%s%s", "a", "b", "c") == "abc")
check(format("%s", "a\0b") == "a")

-- cdata: each as its C type. Small integers are promoted by their sign, float becomes double.
for _, row in ipairs {
  { "%d", "int8_t", -1, "-1" }, { "%d", "uint8_t", 255, "255" }, { "%d", "int16_t", -300, "-300" }, { "%d", "uint16_t", 65535, "65535" },
  { "%d", "int", -70000, "-70000" }, { "%u", "unsigned", 4294967295, "4294967295" }, { "%d", "bool", true, "1" }, { "%c", "char", 65, "A" },
  { "%lld", "int64_t", -5, "-5" }, { "%llu", "uint64_t", 2 ^ 63, "9223372036854775808" }, { "%ld", "long", 2 ^ 30, "1073741824" },
  { "%zu", "size_t", 12, "12" }, { "%g", "float", 0.5, "0.5" }, { "%g", "double", 0.25, "0.25" }, { "%x", "int", 255, "ff" },
  { "%hhd", "int8_t", -3, "-3" }, { "%hd", "short", -4, "-4" }, { "%5d|", "int", 42, "   42|" }, { "%-5d|", "int", 42, "42   |" },
} do
  check(format(row[1], ffi.new(row[2], row[3])) == row[4], row[1] .. " of " .. row[2])
  check(format(row[1], ffi.cast(row[2], row[3])) == row[4], row[1] .. " of a cast to " .. row[2])
  check(format("%s " .. row[1] .. " %s", "before", ffi.new(row[2], row[3]), "after") == "before " .. row[4] .. " after", row[1] .. " in the middle, " .. row[2])
end

-- Arrays: their address. Structs: theirs.
check(format("%s", ffi.new("char[8]", "array")) == "array")
check(format("%s", ffi.new("char[?]", 8, "vla")) == "vla")
check(format("%s", ffi.cast("const char *", "pointer")) == "pointer")
local pair = ffi.new("struct va_pair", 1, 2)
local address = format("%p", ffi.cast("void *", pair))
check(format("%p", ffi.new("struct va_pair *", pair)) == address)
check(format("%p", ffi.new("struct va_pair *", ffi.cast("struct va_pair &", pair))) == address)

-- Functions: their address.
check(format("%p", ffi.C.abs) == format("%p", ffi.cast("void *", ffi.C.abs)))
check(format("%p", ffi.cast("int (*)(int)", ffi.C.abs)) == format("%p", ffi.C.abs))

-- Enums: their integer.
check(format("%d", ffi.new("enum va_e", "VA_FIVE")) == "5")

-- More than the registers hold, of both kinds.
local i = function(n) return ffi.new("int", n) end
check(format("%d %d %d %d %d %d %d %d %d %d", i(1), i(2), i(3), i(4), i(5), i(6), i(7), i(8), i(9), i(10)) == "1 2 3 4 5 6 7 8 9 10")
check(format("%g %g %g %g %g %g %g %g %g %g", 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5) == "1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 9.5 10.5")
check(format("%d %g %d %g %d %g %d %g %d %g %d %g %s", i(1), 1.5, i(2), 2.5, i(3), 3.5, i(4), 4.5, i(5), 5.5, i(6), 6.5, "end")
  == "1 1.5 2 2.5 3 3.5 4 4.5 5 5.5 6 6.5 end")

-- Out-arguments.
local n, d, s, c = ffi.new "int[1]", ffi.new "double[1]", ffi.new "char[16]", ffi.new "char[1]"
check(ffi.C.sscanf("12 0.5 word!", "%d %lf %15[a-z]%c", n, d, s, c) == 4)
check(n[0] == 12)
check(d[0] == 0.5)
check(ffi.string(s) == "word")
check(c[0] == 33)
local wide, small = ffi.new "int64_t[1]", ffi.new "int16_t[1]"
check(ffi.C.sscanf("-1234567890123 -7", "%lld %hd", wide, small) == 2)
same(wide[0], "-1234567890123")
check(small[0] == -7)

-- The fixed parameters keep their own conversions, and the number of arguments has no upper bound.
fails("cannot convert", ffi.C.snprintf, buffer, {}, "x")
fails("cannot convert", ffi.C.snprintf, buffer, 256, 5)
fails("cannot convert 'table'", format, "%d", {})
fails("cannot convert", format, "%d", coroutine.create(function() end))
check(format("plain", 0.5, "unused") == "plain")

-- The same function with other types in each call.
for round = 1, 3 do
  check(format("%g", 1.5) == "1.5", "number " .. round)
  check(format("%s", "s") == "s", "string " .. round)
  check(format("%d", i(round)) == tostring(round), "int " .. round)
  check(format("%g %s", 0.5, "s") == "0.5 s", "both " .. round)
end
