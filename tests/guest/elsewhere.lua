-- Platforms whose code does not run here: sizes, offsets and plans, and an error for calls.
local ffi = require "ffi"

local function fails(message, f, ...)
  local ok, error = pcall(f, ...)
  assert(not ok, "no error, expected: " .. message)
  assert(tostring(error):find(message, 1, true), tostring(error) .. "\nexpected: " .. message)
end

local arm = ffi.target "aarch64-unknown-linux-gnu"
assert(arm.arch == "arm64" and arm.sizeof "long double" == 16 and arm.sizeof "wchar_t" == 4)
arm.cdef "struct s { char c; long double d; }; int f(int);"
assert(arm.offsetof("struct s", "d") == 16 and arm.alignof "struct s" == 16)
assert(arm.explain("double f(double)"):find "v0" or arm.explain("double f(double)"):find "d0")
assert(arm.new("struct s", { c = 5 }).c == 5)
fails("does not run in this process", function() arm.cast("int (*)(int)", 16)(1) end)
fails("does not run in this process", arm.cast, "int (*)(int)", function() end)
fails("there is no C library", function() return arm.C.f end)

local windows = ffi.target "x86_64-pc-windows-msvc"
assert(windows.sizeof "long" == 4 and ffi.sizeof "long" == 8 and windows.os == "Windows")
fails("unsupported target", ffi.target, "pdp11-dec-unix")
fails("string expected", ffi.target, 5)

windows.cdef "int f(int);"
fails("does not run in this process", function() windows.cast("int (*)(int)", 16)(1) end)

-- types of different platforms do not mix
ffi.cdef "struct mixed { long n; };"
windows.cdef "struct mixed { long n; };"
assert(ffi.sizeof "struct mixed" == 8 and windows.sizeof "struct mixed" == 4)
assert(not ffi.istype("struct mixed", windows.new "struct mixed"))
