-- The language: literals, numbers as text, comparisons, chunks, environments.
local ffi = require "ffi"

print(1LL, 0xffULL, 0xFFFFFFFFFFFFFFFFull, 9223372036854775807ll, -9223372036854775808LL, 2i, 1.5I, 0x1p4, 0b1010)
print("1LL", '2ULL', [[3i]], [==[ ]] 4LL ]==], "5LL") -- 6LL --[[ 7LL
--[[ 8LL
9LL ]] print(debug.getinfo(1, "l").currentline)

print(10 / 2, 7 % 3, 2 ^ 10, 2 ^ 53, 2 ^ 63, 1e14, 1e15, 1e16, 123456789012345, 0.1, 1 / 3, 3.0, 1e100, (function() return -0 end)())
print(1 / 0, -1 / 0, 0 / 0, math.huge, -math.huge, 5 % -3, -5 % 3, 5.5 % 2)
print("x" .. 3 .. 4.5 .. "y", 1 .. "", 10 / 5 .. "", -1 .. 2, 2 ^ 31 .. "|" .. 2 ^ 53 .. "|" .. 1e15)
print(tostring(3), tostring(3.0), tostring(1e15), tostring(2 ^ 31), #tostring(12345))
print(100000000000000, 10000000000000000000, 0xffffffff, 0xffffffffffffffff)

-- Numbers that overflow integers but not doubles.
local factorial, fibonacci, previous = 1, 1, 0
for i = 1, 30 do factorial = factorial * i end
for i = 1, 100 do fibonacci, previous = fibonacci + previous, fibonacci end
print(factorial, fibonacci)
local seed = 42
for i = 1, 10 do seed = (seed * 1103515245 + 12345) % 2147483648 end
print(seed)
local hash = 5381
for c in ("the quick brown fox"):gmatch "." do hash = (hash * 33 + c:byte()) % 4294967296 end
print(hash)

-- Comparisons of cdata with anything.
local null, pointer = ffi.new "int *", ffi.new "int[1]" + 0
print(null == nil, nil == null, null ~= nil, pointer == nil, pointer ~= nil, ffi.cast("void *", 0) == nil)
print(5LL == 5, 5 == 5LL, 5LL ~= 5, 5LL == 5.5, 5ULL == 5LL, -1LL == 0xffffffffffffffffULL, 1LL == "1", 1LL == true)
print(1LL < 2, 2 > 1LL, 3LL <= 3, -1 < 0ULL, ffi.new("int", 3) == 3, ffi.new("double", 1.5) == 1.5)
ffi.cdef "enum language_e { LANGUAGE_A, LANGUAGE_B };"
local e = ffi.new("enum language_e", 1)
print(e == "LANGUAGE_B", e == "LANGUAGE_A", e == 1, tonumber(e), e ~= "LANGUAGE_B")
local t = {}
print(t == t, t == {}, "a" == "a", "a" ~= "b", 1 == 1, nil == false, print == print, t ~= nil)
local function none() end
local function two() return 1, 2 end
print(none() == nil, two() == 1, (two()) == 1, 1 == two(), nil == none(), none() == none())
print(not (1 == 2), not 1 == 2, 1 == 1 and "yes" or "no", 1 == 2 == false, "a" .. "b" == "ab", #"abc" == 3)
local v = setmetatable({}, { __eq = function() return true end, __concat = function(a, b) return "joined" end })
print(v == setmetatable({}, getmetatable(v)), v .. 1, 1 .. v, "a" .. v .. "b")

-- Statements that begin with a parenthesis.
local n = 1LL
(print or error)("after a literal", n)
local same = n == nil
(function() print "after a comparison" end)()

-- Loops and indices.
local list = {}
for i = 1, 3 do list[i] = i * i end
for i = 3, 1, -1 do io.write(list[i], " ") end
for i = 0, 1, 0.25 do io.write(i, " ") end
for i = 1, 3.7 do io.write(i, " ") end
io.write("\n")
list[1.0], list[2 ^ 1] = "one", "two"
print(list[1], list[2], #list, next({ [1] = true }))

-- Chunks.
print(type(loadstring "return 1LL + 2"))
print(loadstring("return 1LL + 2")(), load("return 0x10ULL", "chunk")(), loadstring("return ...")(7, 8))
print(loadstring("x = = 1LL", "=wrong"))
print((loadstring("x = 1U", "=wrong")))
print((loadstring("return 1LL +", "@file.lua")))
print(pcall(loadstring("local a = 1LL\nerror 'here'", "@file.lua")))
local pieces = { "return ", "1LL", " == 1" }
print(load(function() return table.remove(pieces, 1) end)())
print(load("return a", "=c", "t", { a = 1LL })(), load("a = 5; return a == 5", "=c", "bt", {})(), rawget(_G, "a"))
print(assert(loadstring(string.dump(function(x) return x + 1 end)))(41))

-- Environments.
local function global() return variable end
variable = "global"
print(global(), setfenv(global, { variable = "own" }) == global, global(), getfenv(global).variable, getfenv(1) == _G)
local function sandboxed() setfenv(1, { print = print }) print(variable, tostring == nil) end
sandboxed()
print((pcall(setfenv, print, {})), (pcall(getfenv, 100)))
module("language_module", package.seeall)
function f() return 1LL end
print(_NAME, f(), language_module == nil, type(_M.f))
