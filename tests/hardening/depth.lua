-- Recursion without an end through C, by metamethods, conversions, callbacks and finalisers, is an error wherever it begins.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  struct depth { int n; };
  void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
]]
local new
ffi.metatype("struct depth", {
  __index = function(o, k) return o[k] end,
  __newindex = function(o, k, v) o[k] = v end,
  __add = function(a, b) return a + b end,
  __concat = function(a, b) return a .. b end,
  __eq = function(a, b) return a == b end,
  __lt = function(a, b) return a < b end,
  __le = function(a, b) return a <= b end,
  __len = function(o) return #o end,
  __unm = function(o) return -o end,
  __call = function(o) return o() end,
  __tostring = function(o) return tostring(o) .. "" end,
  __new = function() return new() end,
})
new = ffi.typeof "struct depth"
local a, b = ffi.new "struct depth", ffi.new "struct depth"
local int = ffi.typeof "int (*)(int)"
local callback
callback = int(function(n) return callback(n + 1) end)
local numbers = ffi.new("int[3]", 3, 1, 2)
local function sorted()
  ffi.C.qsort(numbers, 3, 4, function() return sorted() end)
  return 0
end
local nested = {}
for _ = 1, 300 do nested = { nested } end
nested[1] = nested
local endless = setmetatable({}, { __index = function(t, k) return t[k] end })
local ways = {
  index = function() return a.missing end,
  newindex = function() a.missing = 1 end,
  add = function() return a + b end,
  concat = function() return a .. b end,
  unm = function() return -a end,
  call = function() return a() end,
  text = function() return tostring(a) end,
  new = function() return new() end,
  callback = function() return callback(1) end,
  sorted = sorted,
  table = function() return ffi.new("int[1][1][1]", nested) end,
}
-- In LuaJIT and 5.1 `<` and `#` do not ask every userdata, and members are raw fields of a table.
local may = {
  member = function() return ffi.new("struct { int x; }", endless) end,
  eq = function() return a == b end,
  lt = function() return a < b end,
  le = function() return a <= b end,
  len = function() return #a end,
}
for name, way in pairs(ways) do
  assert(not pcall(way), name)
  assert(not coroutine.wrap(function() return (pcall(way)) end)(), name)
end
for _, way in pairs(may) do
  pcall(way)
  coroutine.wrap(function() return (pcall(way)) end)()
end
local function chain(n)
  return ffi.gc(ffi.new "int[1]", function()
    if n > 0 then chain(n - 1) end
    collectgarbage()
  end)
end
chain(300)
collectgarbage()
collectgarbage()
print "ok"
