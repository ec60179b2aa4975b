-- Calls `int add(int, int)` of add.c as often as the first argument says.
local ffi = require "ffi"
ffi.cdef "int add(int a, int b);"
local lib = ffi.load(arg[1])
local add, sum = lib.add, 0
for i = 1, tonumber(arg[2]) do
  sum = sum + add(i % 100, 1)
end
print(sum)
