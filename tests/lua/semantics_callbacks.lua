-- FFI Semantics: callbacks. The library is tests/c/calls.c.
local ffi = require "ffi"
local T = ffi.load(TESTLIB)

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
check(T.t_each(10, function(x) return x end) == 45)
check(T.t_call_ten(function(a, b, c, d, e, f, g, h, i, j)
  check(a == 1 and i == 9 and j == 10)
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j
end) == 385)
local called = false
T.t_call_void(function(...) called = select("#", ...) == 0 end)
check(called)

-- Every type arrives as its own.
local got
check(T.t_call_types(function(...)
  got = { ... }
  got[7] = tostring(got[7])
  got[11] = ffi.string(got[11])
  return 42
end) ~= nil)
check(#got == 11)
local expected = { -1, 255, -2, 65535, -3, 4294967295, nil, 1.5, 2.5, true, "text" }
for i = 1, 11 do
  if i == 7 then check(got[7]:find "^%-9223372036854775808") else check(got[i] == expected[i], i) end
end

-- Results convert as in an assignment.
check(T.t_call_bool(function(x) return x > 3 end, 4) == true)
check(T.t_call_bool(function(x) return x > 3 end, 2) == false)
check(T.t_call_u8(function() return 200 end) == 200)
check(T.t_call_u8(function() return 257 end) == 1)
check(T.t_call_float(function(x) return x / 2 end, 3) == 1.5)
check(num(T.t_call_enum(function(x)
  check(num(x) == 5)
  return "CB_BLUE"
end, "CB_GREEN")) == 6)
local kept_text = ffi.new("char[8]", "kept")
check(ffi.string(T.t_call_str(function() return kept_text end, 0)) == "kept")

-- Explicit: a cdata that can be freed and given another function.
local callback = ffi.cast("int (*)(int)", function(x) return x + 1 end)
check(callback(1) == 2 and T.t_each(3, callback) == 6)
callback:set(function(x) return x * 10 end)
check(callback(1) == 10 and T.t_each(3, callback) == 30)
T.t_keep(callback)
check(T.t_call_kept(7) == 70)
collectgarbage() collectgarbage()
check(T.t_call_kept(8) == 80)
callback:free()
fails("", function() callback:free() end)
fails("", function() callback:set(print) end)
if differs "freed-callbacks" then
  fails("already freed", function() callback:free() end)
  fails("after it was freed", callback, 1)
  fails("after it was freed", T.t_call_kept, 1) -- C calls it: an error of the call that led there
  fails("not a callback", function() ffi.cast("int (*)(int)", 4096):free() end)
end

-- Errors come back through C, as they were thrown.
if differs "callback-errors" then
  fails("callbacks.lua:%d+: oops", T.t_each, 3, function() error "oops" end)
  local object = setmetatable({}, { __tostring = function() return "object" end })
  local ok, e = pcall(T.t_each, 3, function() error(object) end)
  check(not ok and e == object)
  ok, e = pcall(T.t_each, 3, function() error() end)
  -- Lua 5.5 makes a string of it.
  check(not ok and e == select(2, pcall(error)))
  -- C runs on with zeros, and the Lua function is not called again until C returns.
  local calls = 0
  fails("first", T.t_count_calls, 5, function() calls = calls + 1 error("first", 0) end)
  check(calls == 1 and T.t_calls_after_error == 5)
  check(T.t_each(3, function() return 1 end) == 3)
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
check(nest(10) == 11)
if differs "callback-errors" then
  local function broken(depth)
    if depth == 0 then error("deep", 0) end
    return T.t_each(1, function() return broken(depth - 1) end)
  end
  fails("^deep$", broken, 10)
  -- Caught half-way, the outer calls go on.
  check(T.t_each(2, function() return pcall(broken, 3) and 1 or 5 end) == 10)
end

-- In a coroutine, the callback runs on that coroutine; it ends before the coroutine goes on.
local co = coroutine.wrap(function()
  local here = coroutine.running()
  T.t_each(1, function() check(coroutine.running() == here) return 0 end)
  coroutine.yield(1)
  return T.t_each(3, function(x) return x end)
end)
check(co() == 1 and co() == 3)
local from_coroutine
coroutine.wrap(function() from_coroutine = ffi.cast("int (*)(int)", function(x) return x + 5 end) end)()
collectgarbage() collectgarbage()
check(T.t_each(2, from_coroutine) == 11)
from_coroutine:free()
if differs "callback-errors" then
  local co2 = coroutine.create(function() return T.t_each(1, function() coroutine.yield(1) return 1 end) end)
  local ok, message = coroutine.resume(co2)
  check(not ok and tostring(message):find "yield", message)
end

-- errno is preserved on the way in and out.
check(T.t_errno_in_callback(function() return 0 end, 33) == 33)
if not apart then
  check(T.t_errno_in_callback(function() check(ffi.errno() == 33) ffi.errno(44) return 0 end, 33) == 44)
end
check(T.t_errno_in_callback(function() T.t_set_errno(55) return 0 end, 33) == 55)

-- The Microsoft convention.
if ffi.arch == "x64" and differs "types" then
  check(T.t_call_ms(function(a, b, c, d, e, f) return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f end) == 91)
end

-- Values that cannot be callbacks.
if differs "callback-varargs" then
  fails("variadic", function() return ffi.cast("int (*)(int, ...)", print) end)
end
fails("", function() return ffi.cast("int (*)(int)", {}) end)

-- Callbacks do not run out and do not leak; the same function passed again is the same pointer.
if differs "callback-limits" then
  local f = function(x) return x end
  for i = 1, 5000 do T.t_each(1, f) end
  for i = 1, 5000 do ffi.cast("int (*)(int)", f):free() end
  local many = {}
  for i = 1, 1000 do many[i] = ffi.cast("int (*)(int)", function(x) return x + i end) end
  for i = 1, 1000 do check(many[i](1) == 1 + i) end
  for i = 1, 1000 do many[i]:free() end
end

-- Many, made and freed: each calls its own function, also where the memory of a freed one is used again.
do
  local unary = ffi.typeof "int (*)(int)"
  local kept = {}
  for n = 1, 300 do
    local f = ffi.cast(unary, function(x) return x + n end)
    check(f(1) == n + 1 and T.t_each(3, f) == 3 + 3 * n)
    if n % 3 == 0 then
      kept[n] = f
    elseif n % 3 == 1 then
      f:set(function(x) return x - n end)
      check(f(1) == 1 - n)
      f:free()
    else
      f:free()
    end
  end
  for n, f in pairs(kept) do
    check(f(2) == n + 2)
    f:free()
  end
  -- Freed by its own function, and made again meanwhile.
  for n = 1, 100 do
    local f, inner
    f = ffi.cast(unary, function(x)
      f:free()
      inner = ffi.cast(unary, function(y) return y * n end)
      return x
    end)
    check(f(n) == n and inner(2) == 2 * n)
    inner:free()
  end
  -- By another type, and through another name of the same.
  local same = ffi.cast("int (*)(int)", function(x) return -x end)
  check(same(4) == -4)
  local real = ffi.cast("double (*)(double)", function(x) return x / 2 end)
  check(real(5) == 2.5)
  same:free()
  real:free()
  if differs "freed-callbacks" then
    fails("already freed", function() same:free() end)
    fails("after it was freed", real, 1)
  end
end

-- A conversion that names the type makes a callback of its own, and no conversion brings a freed one back.
do
  local unary = ffi.typeof "int (*)(int)"
  local function next_one(x) return x + 1 end
  for _, make in ipairs {
    unary,
    function(f) return ffi.new(unary, f) end,
    function(f) return ffi.cast(unary, f) end,
    function(f) return ffi.cast("int (*)(int)", f) end,
  } do
    local a, b = make(next_one), make(next_one)
    check(a ~= b)
    a:free()
    check(b(1) == 2)
    b:free()
    check(make(next_one)(2) == 3)
  end
  local holder = ffi.new "struct { int (*f)(int); int (*of[2])(int); }"
  for _ = 1, 3 do
    holder.f = next_one
    check(holder.f(1) == 2)
    holder.f:free()
  end
  holder.of[1] = next_one
  check(holder.of[1](3) == 4)
  holder.of[1]:set(function() return 99 end)
  holder.f = next_one
  check(holder.f(1) == 2 and holder.of[1](1) == 99)
  holder.of[1]:free()
  for _ = 1, 100 do unary(function() return 7 end):free() end -- other functions have had its slot by now
  holder.f = next_one
  check(holder.f(1) == 2)
  holder.f:free()
  check(T.t_each(3, next_one) == 1 + 2 + 3)
end
