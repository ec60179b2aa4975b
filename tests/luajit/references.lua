-- ffi.new of a reference refers to its initialiser.
local ffi = require "ffi"
ffi.cdef "struct pair { int a, b; };"
local numbers = ffi.new("int[3]", 7, 8, 9)
local pointer = ffi.new("int *", numbers)
local pair = ffi.new("struct pair", 1, 2)
local pairs_of = ffi.new("struct pair[2]", { { 1, 2 }, { 3, 4 } })

local first = ffi.new("int &", numbers)
print(tonumber(first), first + 1, ffi.typeof(first))
numbers[0] = 70
print(tonumber(first), tonumber(ffi.new("int &", pointer + 1)), tonumber(ffi.new("const int &", numbers)))
local r = ffi.new("struct pair &", pair)
r.a = 10
print(pair.a, r.b, ffi.typeof(r), ffi.istype("struct pair", r), ffi.sizeof(r))
local element = ffi.new("struct pair &", pairs_of)
element.b = 20
print(pairs_of[0].b, ffi.new("struct pair &", ffi.new("struct pair *", pair)).a, ffi.new("struct pair &", r).a)
print(ffi.new("const struct pair &", pair).b, pcall(function() ffi.new("const struct pair &", pair).b = 1 end) == false)
local three = ffi.new("int (&)[3]", ffi.cast("int (*)[3]", numbers))
three[1] = 80
print(numbers[1], ffi.sizeof(three), #tostring(ffi.typeof(three)))
local reference = ffi.typeof "struct pair &"
print(reference(pair).a, reference(pair) == pair)
print(ffi.new("int (&)(int)", ffi.cast("int (*)(int)", function(x) return x + 1 end))(4))
for _, wrong in ipairs { 5, "text", true, {}, { 1, 2 } } do print((pcall(ffi.new, "struct pair &", wrong))) end
print((pcall(ffi.new, "int &", pair)), (pcall(ffi.new, "short &", numbers)), (pcall(ffi.new, "int &", ffi.new("const int *", numbers))))
print((pcall(ffi.new, "int &", numbers, 1)), (pcall(ffi.new, "struct pair &", ffi.new "struct { int a, b; }")))
-- Facts of the host.
for _, name in ipairs { "32bit", "64bit", "le", "be", "fpu", "softfp", "eabi", "win", "uwp", "pauth", "gc64" } do io.write(name, " ", tostring(ffi.abi(name)), "\n") end
