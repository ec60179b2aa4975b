-- Functions that are dumped and loaded again have the operators that they had.
local ffi = require "ffi"
local function reload(f, ...) return assert(loadstring(string.dump(f, ...))) end
local function compute(a, b) return a == b, a ~= b, a .. "|" .. b, a % b, a < b, type(print) end
print(reload(compute)(7, 4)) print(reload(compute, true)(-7, 4)) print(reload(compute)(7.5, 4))
print(reload(function(x) return x == 5, x == nil end)(ffi.new("int", 5)))
print(reload(function() local function inner(x) return x == 5 end return inner(5), inner(require("ffi").new("int", 5)) end)())
print(reload(loadstring "x = 1 == 1 return x, ... % 3", true)(-5), x)
print(pcall(reload(function(text) return error(text .. "!") end), "own"))
local environment = { print = print, k = 3 }
print(setfenv(reload(function(x) return k == x, k end), environment)(3))
print(load(string.dump(function(x) k = 4 return k == x, k end), "=c", "b", environment)(4), environment.k, k)
local captured = 5
print(reload(function(x) return captured, x == 1, captured == nil end)(1))
print(load(string.dump(loadstring "return 1 .. 2"))(), load(string.dump(function() return print ~= nil end))())
print(#string.dump(compute) > 0, (pcall(string.dump, print)), (pcall(string.dump, 5)))
