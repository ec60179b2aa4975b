-- A callback that is called when the process exits, after the state is closed.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef "int on_exit(void (*f)(int status, void *data), void *data);"
assert(ffi.C.on_exit(ffi.cast("void (*)(int, void *)", function() error "it ran" end), nil) == 0)
