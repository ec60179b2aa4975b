-- Finalisers of a closing state that make values with finalisers, callbacks and declarations, and load libraries.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
local function renewed() ffi.gc(ffi.new "int[2]", renewed) end
for i = 1, 10 do _G["renewed" .. i] = ffi.gc(ffi.new "int[2]", renewed) end
local class
class = ffi.metatype("struct { int n; }", {
  __gc = function()
    local other = class()
    ffi.cast("int (*)(int)", function(x) return x + other.n end)(1)
    ffi.cdef "int labs(int);"
    ffi.load "libm.so.6"
  end,
})
kept = class()
print "ok"
