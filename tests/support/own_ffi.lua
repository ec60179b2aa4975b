-- cthunk run tests/support/own_ffi.lua FILE: in LuaJIT, too, `require "ffi"` is this library and not LuaJIT's own.
package.loaded.ffi = require "cthunk"
dofile(arg[1])
