-- FFI API: "Extended Standard Library Functions", and what the other library functions make of cdata
local ffi = require "ffi"
ffi.cdef [[ struct sl_point { int x, y; }; enum sl_e { SL_A = 4 }; ]]

-- tonumber: ffi.tonumber where Lua's own cannot be changed.
local tonumber = ffi.tonumber or tonumber
for _, row in ipairs {
  { "int8_t", -5 }, { "uint8_t", 250 }, { "short", -300 }, { "unsigned short", 65535 }, { "int", -70000 }, { "unsigned", 4294967295 },
  { "int64_t", -2 ^ 40 }, { "uint64_t", 2 ^ 63 }, { "float", 0.5 }, { "double", 0.1 }, { "long", 12 }, { "size_t", ffi.abi "64bit" and 2 ^ 52 or 2 ^ 31 }, { "char", 65 },
} do
  check(tonumber(ffi.new(row[1], row[2])) == row[2], row[1])
  check(type(tonumber(ffi.new(row[1], row[2]))) == "number", row[1] .. " is a number")
end
check(tonumber(ffi.new("uint64_t", 2 ^ 63) + 1) == 2 ^ 63, "with the precision of a double")
check(tonumber(ffi.new("enum sl_e", "SL_A")) == 4)
check(tonumber(ffi.new("bool", true)) == 1)
check(tonumber(ffi.new("bool", false)) == 0)
check(tonumber(ffi.new("complex", 3, 0)) == 3)
check(tonumber(ffi.new "struct sl_point") == nil)
check(tonumber(ffi.new "int *") == nil)
check(tonumber(ffi.new "int[2]") == nil)
check(tonumber "12" == 12)
check(tonumber "0x10" == 16)
check(tonumber "no" == nil)
check(tonumber(1.5) == 1.5)

-- tostring: api_tostring.lua. In strings, by way of tostring.
check(("%s"):format(tostring(ffi.new("int64_t", -7))) == "-7LL")
check(("<" .. tostring(ffi.new("uint64_t", 7)) .. ">") == "<7ULL>")
check(tostring(ffi.typeof "struct sl_point") == "ctype<struct sl_point>")

-- type: a kind of its own; ffi.type where Lua's own cannot be changed.
local type_of = ffi.type or type
check(type_of(ffi.new "int") == "cdata")
check(type_of(ffi.typeof "int") == "cdata")
check(type_of(5) == "number")
check(type_of(nil) == "nil")
check(type_of "" == "string")
check(type_of {} == "table")
check(type_of(print) == "function")
check(type_of(true) == "boolean")

-- rawequal is identity; table functions keep cdata as they are.
local p = ffi.new("struct sl_point", 3, 4)
check(rawequal(p, p))
check(not rawequal(p, ffi.new("struct sl_point", 3, 4)))
check(not rawequal(ffi.new("int64_t", 5), ffi.new("int64_t", 5)))
local list = { ffi.new("int64_t", 30), ffi.new("int64_t", 10), ffi.new("int64_t", 20) }
table.sort(list, function(a, b) return a < b end)
check(digits(list[1]) == "10")
check(digits(list[2]) == "20")
check(digits(list[3]) == "30")
table.sort(list, function(a, b) return b < a end)
check(digits(list[1]) == "30")
check(select("#", unpack_values(list)) == 3)
table.insert(list, p)
check(rawequal(list[4], p))
check(rawequal(table.remove(list), p))

-- select, pcall, coroutines pass cdata.
check(rawequal(select(2, 1, p), p))
check(rawequal(select(2, pcall(function() return p end)), p))
check(rawequal(select(2, pcall(error, p)), p), "a cdata is an error value")
check(rawequal(coroutine.wrap(function(x) return x end)(p), p))
check(coroutine.wrap(function() return coroutine.yield(p).x end)().x == 3)

-- A cdata is true, even false and NULL.
check(ffi.new("bool", false) and true)
check(ffi.new "int" and true)
check(ffi.new "void *" and true)

-- Metatables of cdata cannot be had or set.
check(getmetatable(p) == "ffi")
check(getmetatable(ffi.typeof "int") == "ffi")
check(not pcall(setmetatable, p, {}))

-- A C function as an argument of Lua's functions: where a function is called, not where one is demanded.
ffi.cdef "int abs(int); int toupper(int); double sqrt(double);"
check(pcall(ffi.C.abs, -5) == true)
check(select(2, pcall(ffi.C.abs, -5)) == 5)
check(("hello"):gsub(".", function(c) return string.char(ffi.C.toupper(c:byte())) end) == "HELLO")
local indexed = setmetatable({}, { __index = function(_, n) return ffi.C.sqrt(n) end })
check(indexed[16] == 4)

-- math and string functions take numbers: convert first.
check(math.floor(tonumber(ffi.new("double", 1.5))) == 1)
check(("%d"):format(tonumber(ffi.new("int64_t", 5))) == "5")
check(math.max(tonumber(ffi.new("int", 3)), 2) == 3)
check(("x"):rep(tonumber(ffi.new("size_t", 3))) == "xxx")
