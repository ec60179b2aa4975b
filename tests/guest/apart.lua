-- Puts the `ffi` of 32-bit code in the place of the host's, for the behaviour files. TESTLIB is its library, that of C, too.
APART = true
local ffi = require "ffi".target "i686-unknown-linux-gnu"
ffi.load(TESTLIB, true)
package.loaded.ffi = ffi
