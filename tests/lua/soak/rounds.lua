-- Calls, cdata and callbacks in rounds that each do the same: `local round = chunk(TESTLIB)`, `round(calls, cdata, callbacks)`.
-- All objects of a round are garbage when it ends; the harness measures the memory that stays.
local ffi = require "ffi"
local T = ffi.load(...)

ffi.cdef [[
struct v_point { double x, y; };
struct v_large { int64_t n[5]; };
struct soak_node { struct soak_node *next; struct v_point at[2]; const char *name; };
int32_t t_i32(int32_t); int64_t t_i64(int64_t); double t_f64(double); const char *t_str(const char *); void *t_ptr(void *);
double t_ten_doubles(double, double, double, double, double, double, double, double, double, double);
int t_format(char *out, size_t size, const char *types, ...);
struct v_point t_point(struct v_point p);
struct v_large t_large(struct v_large l, int64_t x);
int t_each(int n, int (*f)(int));
int t_errno_in_callback(int (*f)(void), int before);
typedef struct { int n; } soak_object;
]]

local point, large = ffi.new("struct v_point", 1, 2), ffi.new "struct v_large"
local buffer = ffi.new "char[64]"
local big = ffi.new("uint64_t", 5)
local function double(x) return 2 * x end
local function fail() error("soak", 0) end

local calls = {
  function(i) return T.t_i32(i % 1000) end,
  function(i) return T.t_f64(i + 0.5) end,
  function() return T.t_str "text" end,
  function() return T.t_ptr(point) end,
  function(i) return T.t_i64(i) end,
  function(i) return T.t_ten_doubles(i, 2, 3, 4, 5, 6, 7, 8, 9, 10) end,
  function() return T.t_format(buffer, 64, "ds", 1.5, "x") end,
  function() return T.t_point(point) end,
  function(i) return T.t_large(large, i) end,
  function() return T.t_each(1, double) end,
  function() return pcall(T.t_i32, {}) end,
  function() return T.t_i64(big) end,
}
-- Dearer calls: each makes a Lua error, or a type of its own.
local rare = {
  function() return pcall(T.t_each, 1, fail) end,
  function() return pcall(T.t_i32) end,
  function() return pcall(ffi.new, "struct {", 5) end,
}

local finalized = 0
local object = ffi.metatype("soak_object", {
  __gc = function() finalized = finalized + 1 end,
  __index = { twice = function(self) return self.n * 2 end },
  __add = function(a, b) return a.n + (ffi.istype("soak_object", b) and b.n or b) end,
})

local makers = {
  function(i) return ffi.new("int[4]", i, 2, 3) end,
  function(i) return ffi.new("struct soak_node", { name = "node", at = { { i, 2 }, { 3, 4 } } }).at[1].x end,
  function(i)
    local a, b = ffi.new "struct soak_node", ffi.new "struct soak_node"
    a.next, b.next = b, a
    return a.next.next.at[i % 2]
  end,
  function(i) return ffi.cast("char *", ffi.new("int[?]", i % 50 + 1)) + 1 end,
  function(i) return tostring(ffi.new("int64_t", i) * 3 + big) end,
  function(i) return object(i):twice() + (object(i) + 1) end,
  function(i) return ffi.gc(ffi.new("int[1]", i), function() finalized = finalized + 1 end) end,
  function(i) return ffi.string(ffi.new("char[16]", "text " .. i % 100)) end,
  function(i) return ffi.typeof("int[$]", i % 20 + 1)() end,
  function() return ffi.new("complex", 1, 2), ffi.new("uint8_t[1000]") end,
}

local function round(call_count, cdata_count, callback_count)
  for i = 1, call_count do
    calls[i % #calls + 1](i)
    if i % 1000 == 0 then rare[i / 1000 % #rare + 1]() end
  end
  for i = 1, cdata_count do makers[i % #makers + 1](i) end
  local sum = 0
  for i = 1, callback_count do
    local callback = ffi.cast("int (*)(int)", function(x) return x + i end)
    sum = sum + callback(1) + T.t_each(2, callback) - 3 * i
    if i % 3 == 0 then callback:set(double) sum = sum + callback(0) end
    callback:free()
  end
  assert(sum == 2 * callback_count, sum)
  collectgarbage() collectgarbage() collectgarbage()
  return finalized
end
return round
