-- A callback as the handler of a timer's signal, which comes wherever it likes: it runs at safe points only.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  typedef void (*signal_handler)(int);
  signal_handler signal(int number, signal_handler handler);
  struct interval { long seconds, microseconds; };
  struct timer { struct interval again, first; };
  int setitimer(int which, const struct timer *new, struct timer *old);
  int abs(int);
  double atof(const char *);
  int snprintf(char *, size_t, const char *, ...);
  void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
  struct point { int x; double y; };
]]
local C, SIGALRM, REAL_TIME = ffi.C, 14, 0
local ticks = 0
local handler = ffi.cast("signal_handler", function(number)
  assert(number == SIGALRM)
  ticks = ticks + 1
  local garbage = {}
  for i = 1, 20 do garbage[i] = { tostring(i), ffi.new("int[4]", i) } end
end)
C.signal(SIGALRM, handler)

local function every(microseconds)
  local timer = ffi.new("struct timer", { { 0, microseconds }, { 0, microseconds } })
  assert(C.setitimer(REAL_TIME, timer, nil) == 0)
end

-- The code that the signals interrupt: Lua, its library, this library, C called by it, callbacks, coroutines, the collector.
local work = {}
work.lua = function()
  local sum, list = 0, {}
  for i = 1, 2000 do
    list[i] = { x = i, name = "s" .. i }
    sum = sum + list[i].x + #list[i].name
  end
  return sum == 2001000 + 9 * 2 + 90 * 3 + 900 * 4 + 1001 * 5
end
function work.strings()
  local parts = {}
  for i = 1, 300 do parts[i] = ("%d,%s"):format(i, ("x"):rep(i % 50)) end
  return #table.concat(parts):gsub("%d", "y") > 0
end
function work.library()
  local p = ffi.new("struct point", 1, 0.5)
  for i = 1, 500 do
    p.x = p.x + 1
    local q = ffi.cast("struct point *", p)
    q.y = q.y + 0.5
    ffi.new("int[10]")[i % 10] = i
  end
  return p.x == 501 and p.y == 250.5
end
function work.calls()
  local sum = 0
  for i = 1, 500 do sum = sum + C.abs(-i) + C.atof("0.5") end
  return sum == 500 * 501 / 2 + 250
end
function work.varargs()
  local b = ffi.new("char[64]")
  for i = 1, 100 do
    C.snprintf(b, 64, "%s %g", "n", i + 0.5)
    if ffi.string(b) ~= "n " .. (i + 0.5) then return false end
  end
  return true
end
function work.callbacks()
  local list = ffi.new("int[100]")
  for i = 0, 99 do list[i] = (i * 37) % 100 end
  C.qsort(list, 100, 4, function(a, b) return a[0] - b[0] end)
  for i = 0, 99 do if list[i] ~= i then return false end end
  return true
end
function work.errors()
  for i = 1, 100 do
    if pcall(C.abs, {}) or pcall(error, i) then return false end
  end
  return not pcall(C.qsort, ffi.new("int[4]"), 4, 4, function() error "no order" end)
end
function work.coroutines()
  local sum = 0
  for i = 1, 100 do
    local f = coroutine.wrap(function() for j = 1, 3 do coroutine.yield(C.abs(-j)) end end)
    sum = sum + f() + f() + f()
  end
  return sum == 600
end
function work.collector()
  collectgarbage()
  return true
end

local rounds = tonumber(arg and arg[1]) or 60
every(1000)
for round = 1, rounds do
  for name, run in pairs(work) do
    if not run() then error(name .. " computed something else in round " .. round) end
    ffi.poll()
  end
end
every(0)
ffi.poll()
local policy, queued, answered = handler:foreign()
assert(policy == "queue")
assert(ticks > 20, "too few signals: " .. ticks)
assert(queued > 0 and queued <= ticks, "queued " .. queued .. " of " .. ticks)
print("ok")
