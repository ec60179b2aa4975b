-- A handler of signals that come while the state closes: nothing of it is seen in a thread of Lua.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  typedef void (*signal_handler)(int);
  signal_handler signal(int number, signal_handler handler);
  struct interval { long seconds, microseconds; };
  struct timer { struct interval again, first; };
  int setitimer(int which, const struct timer *new, struct timer *old);
]]
ffi.C.signal(14, ffi.cast("signal_handler", function() collectgarbage() end))
kept = {}
for i = 1, 50000 do kept[i] = { {} } end
for i = 1, 1000 do kept[-i] = ffi.gc(ffi.new "int[10]", function() end) end
ffi.C.setitimer(0, ffi.new("struct timer", { { 0, 50 }, { 0, 50 } }), nil)
if arg[1] == "exit" then os.exit(true, true) end
