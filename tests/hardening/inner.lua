-- C functions of the library that only the library calls: a hook and the registry show them, and a script calls them with any value.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  typedef struct { double a, b; } pair_t;
  void qsort(void *base, size_t count, size_t size, int (*compare)(const int *, const int *));
]]
local unpack = table.unpack or unpack
local values = {
  {}, { 0 }, { "text" }, { {} }, { function() end }, { ffi.new "int[4]" }, { ffi.cast("void *", 0) }, { io.stdout },
  { coroutine.create(function() end) }, { 1, 2, 3, 4 }, { nil, io.stdout },
}

local seen, calls, busy = {}, 0, false
local function attack(f, ...)
  for _, value in ipairs(values) do
    pcall(f, unpack(value, 1, 4))
    calls = calls + 1
  end
  -- The arguments that the function got, in another function, and twice.
  for other in pairs(seen) do
    if other ~= f then pcall(other, ...) end
  end
end
local harmless = { [pcall] = true, [print] = true, [error] = true, [ipairs] = true, [pairs] = true, [next] = true, [unpack] = true }
for _, library in ipairs { coroutine, debug, string, table, os, io, ffi, math } do
  for _, f in pairs(library) do
    if type(f) == "function" then harmless[f] = true end
  end
end
local function hook()
  if busy then return end
  local info = debug.getinfo(2, "Sf")
  local f = info.func
  if info.what ~= "C" or not f or harmless[f] then return end
  busy = true
  seen[f] = true
  local _, one = debug.getlocal(2, 1)
  local _, two = debug.getlocal(2, 2)
  -- LuaJIT does not take errors that are caught within a hook.
  if not jit then attack(f, one, two) end
  busy = false
end

local array = ffi.new("int[32]")
local function fill() for i = 0, 31 do array[i] = (i * 7) % 32 end end
local kinds = {
  function() -- pointers, and results that need the general conversion
    fill()
    ffi.C.qsort(array, 32, 4, function(a, b) return ffi.new("int", a[0] - b[0]) end)
  end,
  function() fill() ffi.C.qsort(array, 32, 4, function(a, b) return a[0] - b[0] + 0.0 end) end,
  function() fill() ffi.C.qsort(array, 32, 4, function(a, b) return "no number" end) end,
  function() -- a struct by value, which has no fast path
    local f = ffi.cast("pair_t (*)(pair_t, int)", function(p, n) return { p.b, p.a + n } end)
    f({ 1, 2 }, 3)
    f:free()
  end,
  function() local f = ffi.cast("long double (*)(long double)", function(x) return x end) f(1) f:free() end,
}
for _, traceback in ipairs { "off", "on" } do
  ffi.option("traceback", traceback)
  for _, kind in ipairs(kinds) do
    for _ = 1, 3 do
      debug.sethook(hook, "c")
      pcall(kind)
      debug.sethook()
      busy = false
    end
    for f in pairs(seen) do attack(f) end
  end
end
-- The library works as before.
fill()
ffi.C.qsort(array, 32, 4, function(a, b) return a[0] - b[0] end)
for i = 0, 31 do assert(array[i] == i) end
assert(calls > 300, calls)
print "ok"
