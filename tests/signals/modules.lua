-- A callback that is not called by way of this library, but by another C function that Lua calls: it is queued, as Lua cannot be
-- told to be at rest. Here the other C function is the collector's or the sorter's, interrupted by a signal.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  typedef void (*signal_handler)(int);
  signal_handler signal(int number, signal_handler handler);
  unsigned alarm(unsigned seconds);
  struct interval { long seconds, microseconds; };
  struct timer { struct interval again, first; };
  int setitimer(int which, const struct timer *new, struct timer *old);
]]
local calls = 0
local handler = ffi.cast("signal_handler", function() calls = calls + 1 end)
ffi.C.signal(14, handler)
local timer = ffi.new("struct timer", { { 0, 0 }, { 0, 20000 } })
ffi.C.setitimer(0, timer, nil)
-- No call of C until it has come.
local start = os.clock()
repeat
  local list = {}
  for i = 1, 2000 do list[i] = (i * 7919) % 2003 end
  table.sort(list)
  collectgarbage()
until os.clock() - start > 0.2
assert(calls == 0, "it ran while Lua did")
assert(ffi.poll() == 1 and calls == 1)
print("ok")
