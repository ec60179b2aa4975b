-- Devices and pipes, which may have no end or never begin, are no libraries.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef "unsigned alarm(unsigned seconds); int mkfifo(const char *path, unsigned mode);"
ffi.C.alarm(60)
local pipe = os.tmpname()
os.remove(pipe)
assert(ffi.C.mkfifo(pipe, 384) == 0)
local x86 = ffi.target "i686-unknown-linux-gnu"
for _, path in ipairs { "/dev/zero", "/dev/full", "/dev/null", "/", "/proc/self/mem", pipe, pipe .. ".missing" } do
  assert(not pcall(ffi.load, path), path)
  assert(not pcall(x86.load, path), path)
end
os.remove(pipe)
print "ok"
