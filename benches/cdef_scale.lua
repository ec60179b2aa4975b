-- Nanoseconds of one `cdef` of N declarations: `lua5.4 benches/cdef_scale.lua 100000`, with the module in LUA_CPATH.
local ffi = require "ffi"
local lines = {}
for i = 1, tonumber(arg[1]) do
  lines[i] = ("int f%06d_%06d(int a, double b, const char *c, struct s%d *d);"):format(i, i, i % 100)
end
local text = table.concat(lines, "\n")
local start = os.clock()
ffi.cdef(text)
print(("%.0f"):format((os.clock() - start) * 1e9))
