-- FFI Semantics: "cdata objects as table keys"
local ffi = require "ffi"

-- By object, not by value.
local t = {}
local a, b = ffi.new("int64_t", 2), ffi.new("int64_t", 2)
t[a] = "a"
check(t[a] == "a")
check(t[b] == nil)
check(t[2] == nil)
t[b] = "b"
check(t[a] == "a")
check(t[b] == "b")
check(a == b, "equal, and not the same key")

-- "t[tonumber(2LL)] does point to the same slot as t[2]."
t[num(a)] = "number"
check(t[2] == "number")
check(t[num(b)] == "number")

-- tostring of 64-bit integers and complex numbers.
t[tostring(a)] = "text"
check(t["2LL"] == "text")
check(t[tostring(b)] == "text")
t[tostring(ffi.new("complex", 1, 2))] = "complex"
check(t["1+2i"] == "complex")

-- The bytes of an aggregate.
ffi.cdef "struct tk_point { int x, y; };"
local function key(x, y) return ffi.string(ffi.new("struct tk_point", x, y), ffi.sizeof "struct tk_point") end
t[key(1, 2)] = "point"
check(t[key(1, 2)] == "point")
check(t[key(2, 1)] == nil)

-- References and pointers are objects of their own, each time.
local points = ffi.new "struct tk_point[2]"
t[points[0]] = "reference"
check(t[points[0]] == nil)
check(t[points] == nil)
local p = points + 0
t[p] = "pointer"
check(t[p] == "pointer")
check(t[points + 0] == nil)

-- ctypes and functions are objects, too.
local ct = ffi.typeof "struct tk_point"
t[ct] = "ctype"
check(t[ct] == "ctype")
ffi.cdef "int abs(int); int toupper(int);"
t[ffi.C.abs] = "function"
check(t[ffi.C.abs] == "function", "a namespace gives the same object each time")
check(t[ffi.C.toupper] == nil)

-- Counting and walking.
local keys = {}
for i = 1, 10 do keys[ffi.new("int", i)] = i end
local sum, n = 0, 0
for k, v in pairs(keys) do
  sum, n = sum + num(k), n + 1
  check(num(k) == v, "key " .. v)
end
check(sum == 55)
check(n == 10)
