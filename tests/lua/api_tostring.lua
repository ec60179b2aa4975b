-- tostring of cdata and ctypes, as LuaJIT prints them
local ffi = require "ffi"

local function shows(value, pattern)
  local text = tostring(value)
  check(text:find("^" .. pattern .. "$"), pattern)
end

ffi.cdef [[
  struct ts_point { int x, y; };
  union ts_u { int i; };
  enum ts_e { TS_A = 7 };
  typedef struct { int q; } ts_anonymous;
]]

-- 64-bit integers
shows(ffi.new("int64_t", 42), "42LL")
shows(ffi.new("int64_t", -42), "%-42LL")
shows(ffi.new("uint64_t", 7), "7ULL")
shows(ffi.new("long long", 1), "1LL")
shows(ffi.new("uint64_t", ffi.new("int64_t", -1)), "18446744073709551615ULL")
shows(ffi.new("int64_t", 0), "0LL")
shows(ffi.new("size_t", 5), ffi.abi "64bit" and "5ULL" or "cdata<unsigned int>: 0x%x+")

-- complex
shows(ffi.new("complex", 1, 2), "1%+2i")
shows(ffi.new("complex", 1.5, -2), "1.5%-2i")
shows(ffi.new("complex float", 0.5, 0.25), "0.5%+0.25i")
shows(ffi.new("complex", 0, 0 / 0), "0%+nanI")
shows(ffi.new("complex", 1 / 0, -1 / 0), "inf%-infI")
shows(ffi.new("complex", 0.1, 1e100), "0.1%+1e%+100i")
shows(ffi.new("complex", negative_zero, negative_zero), "%-0%-0i")

-- enums
shows(ffi.new("enum ts_e", 7), "cdata<enum ts_e>: 7")

-- everything else: type and address
shows(ffi.new("int", 1), "cdata<int>: 0x%x+")
shows(ffi.new("double", 1), "cdata<double>: 0x%x+")
shows(ffi.new("bool"), "cdata<bool>: 0x%x+")
shows(ffi.new("char"), "cdata<char>: 0x%x+")
shows(ffi.new("uint8_t"), "cdata<unsigned char>: 0x%x+")
shows(ffi.new("int8_t"), "cdata<" .. (differs "type-names" and "signed char" or "char") .. ">: 0x%x+")
shows(ffi.new("unsigned short"), "cdata<unsigned short>: 0x%x+")
shows(ffi.new("struct ts_point"), "cdata<struct ts_point>: 0x%x+")
shows(ffi.new("union ts_u"), "cdata<union ts_u>: 0x%x+")
shows(ffi.new("int[4]"), "cdata<int %[4%]>: 0x%x+")
shows(ffi.new("int[2][3]"), "cdata<int %[2%]%[3%]>: 0x%x+")
shows(ffi.new("int[?]", 3), "cdata<int %[%?%]>: 0x%x+")
shows(ffi.new("struct ts_point[2]")[1], "cdata<struct ts_point &>: 0x%x+")
shows(ffi.new("int[2][3]")[1], "cdata<int %(&%)%[3%]>: 0x%x+")
shows(ffi.new("void *"), "cdata<void %*>: NULL")
shows(ffi.cast("char *", 16), "cdata<char %*>: 0x00000010")
if ffi.abi "64bit" then
  shows(ffi.cast("const char *", 0x123456789), "cdata<const char %*>: 0x0123456789")
  shows(ffi.cast("const char *", 0x7f0123456789), "cdata<const char %*>: 0x7f0123456789")
end
shows(ffi.new("const int[1]"), "cdata<const int %[1%]>: 0x%x+")
shows(ffi.new("ts_anonymous"), "cdata<struct %d+>: 0x%x+")

-- A pointer shows its value, a reference and an object their address.
local a = ffi.new("int[2]")
local address = tostring(a):match("0x%x+")
check(tostring(a + 0):match("0x%x+") == address)
check(tostring(ffi.cast("void *", a)):match("0x%x+") == address)
local points = ffi.new("struct ts_point[2]")
check(tostring(points[0]):match("0x%x+") == tostring(points):match("0x%x+"))

-- ctypes
shows(ffi.typeof("int"), "ctype<int>")
shows(ffi.typeof("long"), "ctype<" .. (ffi.sizeof("long") == 8 and "int64_t" or "int") .. ">")
shows(ffi.typeof("unsigned long long"), "ctype<uint64_t>")
shows(ffi.typeof("const char *"), "ctype<const char %*>")
shows(ffi.typeof("char *const"), "ctype<char %*const>")
shows(ffi.typeof("struct ts_point *"), "ctype<struct ts_point %*>")
shows(ffi.typeof("int *[3]"), "ctype<int %*%[3%]>")
shows(ffi.typeof("int (*)[3]"), "ctype<int %(%*%)%[3%]>")
shows(ffi.typeof("void"), "ctype<void>")
shows(ffi.typeof("volatile int"), "ctype<volatile int>")
shows(ffi.typeof("complex"), "ctype<complex>")
shows(ffi.typeof("complex float"), "ctype<complex float>")
shows(ffi.typeof(ffi.new("struct ts_point")), "ctype<struct ts_point>")
shows(ffi.typeof("enum ts_e"), "ctype<enum ts_e>")
shows(ffi.typeof("long double"), "ctype<long double>")

-- Functions: LuaJIT leaves the parameters out.
if differs "type-names" then
  shows(ffi.typeof("int (*)(const char *, ...)"), "ctype<int %(%*%)%(const char %*, %.%.%.%)>")
  check(tostring(print):find("^function: "), "other functions print as ever")
  check(tostring(function() end):find("^function: 0x"))
else
  shows(ffi.typeof("int (*)(const char *, ...)"), "ctype<int %(%*%)%(%)>")
end
