-- FFI Semantics: callbacks. The library is tests/c/calls.c.
local ffi = require "ffi"
local cthunk = jit == nil
local T = ffi.load(TESTLIB or os.getenv "CTHUNK_TESTLIB")

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, expected: " .. pattern)
  assert(tostring(message):find(pattern), tostring(message) .. " (expected: " .. pattern .. ")")
end

ffi.cdef [[
enum cb_color { CB_RED, CB_GREEN = 5, CB_BLUE };
int t_each(int n, int (*f)(int));
double t_call_ten(double (*f)(double, double, double, double, double, double, double, double, double, double));
int64_t t_call_types(int64_t (*f)(int8_t, uint8_t, int16_t, uint16_t, int32_t, uint32_t, int64_t, float, double, bool, const char *));
void t_call_void(void (*f)(void));
bool t_call_bool(bool (*f)(int), int x);
const char *t_call_str(const char *(*f)(int), int x);
uint8_t t_call_u8(uint8_t (*f)(void));
float t_call_float(float (*f)(float), float x);
enum cb_color t_call_enum(enum cb_color (*f)(enum cb_color), enum cb_color x);
int t_errno_in_callback(int (*f)(void), int before);
void t_keep(int (*f)(int));
int t_call_kept(int x);
extern int t_calls_after_error;
int t_count_calls(int n, int (*f)(int));
int t_call_ms(int (__attribute__((ms_abi)) *f)(int, double, int, double, int, double));
int t_set_errno(int e);
]]

-- Implicit: a Lua function where C wants a function pointer.
assert(T.t_each(10, function(x) return x end) == 45)
assert(T.t_call_ten(function(a, b, c, d, e, f, g, h, i, j)
  assert(a == 1 and i == 9 and j == 10)
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j
end) == 385)
local called = false
T.t_call_void(function(...) called = select("#", ...) == 0 end)
assert(called)

-- Every type arrives as its own.
local got
assert(T.t_call_types(function(...)
  got = { ... }
  got[7] = tostring(got[7])
  got[11] = ffi.string(got[11])
  return 42
end) == (cthunk and 42 or ffi.cast("int64_t", 42)))
assert(#got == 11)
local expected = { -1, 255, -2, 65535, -3, 4294967295, nil, 1.5, 2.5, true, "text" }
for i = 1, 11 do
  if i == 7 then assert(got[7]:find "^%-9223372036854775808") else assert(got[i] == expected[i], i) end
end

-- Results convert as in an assignment.
assert(T.t_call_bool(function(x) return x > 3 end, 4) == true)
assert(T.t_call_bool(function(x) return x > 3 end, 2) == false)
assert(T.t_call_u8(function() return 200 end) == 200)
assert(T.t_call_u8(function() return 257 end) == 1)
assert(T.t_call_float(function(x) return x / 2 end, 3) == 1.5)
assert(T.t_call_enum(function(x)
  assert(x == (cthunk and 5 or ffi.cast("enum cb_color", 5)))
  return "CB_BLUE"
end, "CB_GREEN") == (cthunk and 6 or ffi.cast("enum cb_color", 6)))
local kept_text = ffi.new("char[8]", "kept")
assert(ffi.string(T.t_call_str(function() return kept_text end, 0)) == "kept")

-- Explicit: a cdata that can be freed and given another function.
local callback = ffi.cast("int (*)(int)", function(x) return x + 1 end)
assert(callback(1) == 2 and T.t_each(3, callback) == 6)
callback:set(function(x) return x * 10 end)
assert(callback(1) == 10 and T.t_each(3, callback) == 30)
T.t_keep(callback)
assert(T.t_call_kept(7) == 70)
collectgarbage() collectgarbage()
assert(T.t_call_kept(8) == 80)
callback:free()
fails("", function() callback:free() end)
fails("", function() callback:set(print) end)
if cthunk then
  fails("already freed", function() callback:free() end)
  fails("after it was freed", callback, 1)
  fails("after it was freed", T.t_call_kept, 1) -- C calls it: an error of the call that led there
  fails("not a callback", function() ffi.cast("int (*)(int)", 4096):free() end)
end

-- Errors come back through C, as they were thrown.
if cthunk then
  fails("callbacks.lua:%d+: oops", T.t_each, 3, function() error "oops" end)
  local object = setmetatable({}, { __tostring = function() return "object" end })
  local ok, e = pcall(T.t_each, 3, function() error(object) end)
  assert(not ok and e == object)
  ok, e = pcall(T.t_each, 3, function() error() end)
  assert(not ok and e == nil)
  -- C runs on with zeros, and the Lua function is not called again until C returns.
  local calls = 0
  fails("first", T.t_count_calls, 5, function() calls = calls + 1 error("first", 0) end)
  assert(calls == 1 and T.t_calls_after_error == 5)
  assert(T.t_each(3, function() return 1 end) == 3)
  -- A wrong result is an error, too.
  fails("bad result of callback 'int %(int%)' %(cannot convert 'string' to 'int'%)", T.t_each, 1,
    function() return "x" end)
  fails("bad result of callback", T.t_each, 1, function() end)
end

-- Nested: Lua → C → Lua → C → Lua.
local function nest(depth)
  if depth == 0 then return 1 end
  return T.t_each(1, function() return nest(depth - 1) + 1 end)
end
assert(nest(10) == 11)
if cthunk then
  local function broken(depth)
    if depth == 0 then error("deep", 0) end
    return T.t_each(1, function() return broken(depth - 1) end)
  end
  fails("^deep$", broken, 10)
  -- Caught half-way, the outer calls go on.
  assert(T.t_each(2, function() return pcall(broken, 3) and 1 or 5 end) == 10)
end

-- In a coroutine, the callback runs on that coroutine; it ends before the coroutine goes on.
local co = coroutine.wrap(function()
  local here = coroutine.running()
  T.t_each(1, function() assert(coroutine.running() == here) return 0 end)
  coroutine.yield(1)
  return T.t_each(3, function(x) return x end)
end)
assert(co() == 1 and co() == 3)
local from_coroutine
coroutine.wrap(function() from_coroutine = ffi.cast("int (*)(int)", function(x) return x + 5 end) end)()
collectgarbage() collectgarbage()
assert(T.t_each(2, from_coroutine) == 11)
from_coroutine:free()
if cthunk then
  local co2 = coroutine.create(function() return T.t_each(1, function() coroutine.yield(1) return 1 end) end)
  local ok, message = coroutine.resume(co2)
  assert(not ok and tostring(message):find "yield", message)
end

-- errno is preserved on the way in and out.
assert(T.t_errno_in_callback(function() return 0 end, 33) == 33)
assert(T.t_errno_in_callback(function() assert(ffi.errno() == 33) ffi.errno(44) return 0 end, 33) == 44)
assert(T.t_errno_in_callback(function() T.t_set_errno(55) return 0 end, 33) == 55)

-- The Microsoft convention.
if cthunk and ffi.arch == "x64" then
  assert(T.t_call_ms(function(a, b, c, d, e, f) return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f end) == 91)
end

-- What cannot be a callback.
if cthunk then
  fails("variadic", function() return ffi.cast("int (*)(int, ...)", print) end)
end
fails("", function() return ffi.cast("int (*)(int)", {}) end)

-- Callbacks do not run out and do not leak; the same function passed again is the same pointer.
if cthunk then
  local f = function(x) return x end
  for i = 1, 5000 do T.t_each(1, f) end
  for i = 1, 5000 do ffi.cast("int (*)(int)", f):free() end
  local many = {}
  for i = 1, 1000 do many[i] = ffi.cast("int (*)(int)", function(x) return x + i end) end
  for i = 1, 1000 do assert(many[i](1) == 1 + i) end
  for i = 1, 1000 do many[i]:free() end
end
