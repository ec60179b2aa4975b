-- One thread's part of `threads_and_signals` in tests/guest.rs: OBJECT is tests/guest/library.c, compiled. Returns a function that
-- makes so many calls of 32-bit code, and some callbacks, and leaves no more memory in use than it found.
local ffi = require "ffi".target "i686-unknown-linux-gnu"
ffi.cdef [[
  struct pair { int a, b; };
  int add(int a, int b);
  double __stdcall half(double x);
  long long __fastcall mul(long long a, int b);
  struct pair swap(struct pair p);
  unsigned length(const char *s);
  int descend(int (*f)(int), int n);
]]
local L = ffi.load(OBJECT, { outside = ffi.code "\xc3" })

local nested
nested = ffi.cast("int (*)(int)", function(n) return n == 0 and 100 or L.descend(nested, n - 1) end)
local failing = ffi.cast("int (*)(int)", function(n) error("from callback " .. n) end)
local inner = ffi.cast("int (*)(int)", function(n)
  local ok = pcall(L.descend, failing, n)
  return ok and 0 or n
end)

return function(calls)
  for i = 1, calls do
    local what = i % 64
    if what == 0 then
      assert(L.descend(nested, 10) == 111, "ten deep")
    elseif what == 1 then
      local ok, message = pcall(L.descend, failing, i)
      assert(not ok and message:find("from callback " .. i, 1, true), message)
    elseif what == 2 then
      assert(L.descend(inner, i) == i + 1, "an error inside of a callback")
    elseif what == 3 then
      local swapped = L.swap(ffi.new("struct pair", i, -i))
      assert(swapped.a == -i and swapped.b == i)
    elseif what == 4 then
      assert(L.length("x" .. i) == #tostring(i) + 1)
    elseif what % 4 == 0 then
      assert(L.half(i) == i / 2)
    elseif what % 4 == 1 then
      assert(L.mul(i << 20, -3) == -3 * (i << 20))
    else
      assert(L.add(i, -1) == i - 1)
    end
  end
  collectgarbage()
  collectgarbage()
end
