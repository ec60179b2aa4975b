-- The state closes while C, on a thread of its own, calls callbacks: each is turned away at once, and C comes to its end.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  unsigned alarm(unsigned seconds);
  void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
]]
-- One wait for each comparison would take minutes: the signal ends that.
ffi.C.alarm(60)
local numbers = ffi.new("int[64]")
for i = 0, 63 do numbers[i] = 64 - i end
local sort = ffi.async(ffi.C.qsort)
coroutine.wrap(function() sort(numbers, 64, 4, function() return 0 end) end)()
print "ok"
