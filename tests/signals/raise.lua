-- Signals inside of a C call run at once; in other places by the callback's terms.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  typedef void (*signal_handler)(int);
  signal_handler signal(int number, signal_handler handler);
  int raise(int);
  int getpid(void);
  int abs(int);
]]
local C, SIGUSR1 = ffi.C, 10
local seen = {}
local handler = ffi.cast("signal_handler", function(n) seen[#seen + 1] = n end)
C.signal(SIGUSR1, handler)

-- `raise` is a C call.
C.raise(SIGUSR1)
assert(#seen == 1)
for _ = 1, 5 do C.raise(SIGUSR1) end
assert(#seen == 6 and select(2, handler:foreign()) == 0)

-- A signal that comes while Lua runs: another process sends it.
local kill = "kill -USR1 " .. C.getpid()
local function from_outside()
  os.execute(kill)
end
from_outside()
assert(#seen == 6, "it ran while Lua did")
assert(C.abs(-3) == 3)
assert(#seen == 7, "the next call of C did not make it")
from_outside()
from_outside()
assert(#seen == 7 and ffi.poll() == 2 and #seen == 9)
assert(ffi.poll() == 0)
assert(select(2, handler:foreign()) == 3)

-- In a coroutine, too, and inside of a callback.
coroutine.wrap(function()
  from_outside()
  assert(#seen == 9 and C.abs(-1) == 1 and #seen == 10)
end)()
local inner = ffi.cast("int (*)(int)", function(x)
  from_outside()
  assert(#seen == 10)
  return C.abs(x) + #seen
end)
assert(inner(-5) == 5 + 11 and #seen == 11)

-- Answered.
handler:foreign "default"
from_outside()
assert(ffi.poll() == 0 and #seen == 11 and select(3, handler:foreign()) == 1)
handler:foreign "queue"
for _ = 1, 100 do C.raise(SIGUSR1) end
assert(#seen == 111)

-- A callback that is freed while a call of it waits.
from_outside()
handler:free()
assert(ffi.poll() == 1 and #seen == 111)
C.signal(SIGUSR1, nil)
print("ok")
