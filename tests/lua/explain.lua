-- ffi.explain: drawing and plan of a function, layout of another type, for any target.
local ffi = require "ffi"
local cthunk = ffi.explain ~= nil
if not cthunk then return end

local function fails(words, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error")
  assert(tostring(message):find(words, 1, true), tostring(message))
end

ffi.cdef [[
  struct explained { double x; int y; };
  double fabs(double);
]]

-- A declaration may use declared types; the host's convention is not asked for by name.
local text = ffi.explain "int f(struct explained, ...)"
assert(text:find("int f(struct explained, ...)", 1, true), text)
assert(text:find("1: struct explained", 1, true), text)
assert(text:find("convention ", 1, true), text)
-- It declares nothing.
ffi.explain "struct only_explained { int a; } f(void)"
fails("only_explained", ffi.new, "struct only_explained")

-- A bound function, a function pointer type, and a type that is no function.
assert(ffi.explain(ffi.C.fabs):find("double", 1, true))
assert(ffi.explain(ffi.typeof "int (*)(double)"):find("1: double", 1, true))
assert(ffi.explain "struct explained":find(ffi.abi "64bit" and "16 bytes" or "12 bytes", 1, true), ffi.explain "struct explained")

-- Another target.
local apple = ffi.explain("int printf(const char *, ...)", "aarch64-apple-darwin")
assert(apple:find("aapcs64-apple", 1, true), apple)
local windows = ffi.explain("long f(long)", "x86_64-pc-windows-msvc")
assert(windows:find("rcx", 1, true) and windows:find("shadow space", 1, true), windows)

fails("triple", ffi.explain, "int f(void)", 5)
fails("nonsense", ffi.explain, "int f(void)", "nonsense")
fails("a declaration as text expected", ffi.explain, ffi.C.fabs, "aarch64-apple-darwin")
fails("struct explained", ffi.explain, "int f(struct explained)", "aarch64-apple-darwin")
fails("C type expected", ffi.explain, 5)
