-- FFI Semantics: "Callbacks"
local ffi = require "ffi"

ffi.cdef [[
  void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
  void *bsearch(const void *key, const void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
  typedef int (*cb_unary)(int);
  struct cb_ops { int (*binary)(int, int); double (*real)(float, double); void (*sink)(const char *, bool); };
]]
local C = ffi.C

local function ints(...) return ffi.new("int[?]", select("#", ...), ...) end
local function list(array, n)
  local t = {}
  for i = 0, n - 1 do t[#t + 1] = array[i] end
  return table.concat(t, " ")
end

-- A Lua function where C wants a function pointer.
local function compare(a, b)
  return ffi.cast("const int *", a)[0] - ffi.cast("const int *", b)[0]
end
local array = ints(5, 3, 9, -1, 0)
C.qsort(array, 5, 4, compare)
check(list(array, 5) == "-1 0 3 5 9")

-- Made once with ffi.cast, used often, freed.
local descending = ffi.cast("int (*)(const void *, const void *)", function(a, b) return compare(b, a) end)
C.qsort(array, 5, 4, descending)
check(list(array, 5) == "9 5 3 0 -1")
descending:set(compare)
C.qsort(array, 5, 4, descending)
check(list(array, 5) == "-1 0 3 5 9")
local found = C.bsearch(ints(3), array, 5, 4, descending)
check(ffi.cast("int *", found) - array == 2)
descending:free()
fails("", function() descending:free() end)
if differs "freed-callbacks" then
  local freed = ffi.cast("cb_unary", function(n) return n end)
  check(freed(5) == 5)
  freed:free()
  fails("free", freed, 5)
end

-- Called from Lua through its pointer: arguments and results are converted both ways.
local twice = ffi.cast("cb_unary", function(n) return n * 2 end)
check(twice(21) == 42)
check(twice(-2.9) == -4)
check(ffi.istype("cb_unary", twice))
twice:free()

local seen
local ops = ffi.new("struct cb_ops", {
  function(a, b) return a * 10 + b end,
  function(x, y) return x + y end,
  function(s, flag) seen = ffi.string(s) .. tostring(flag) end,
})
check(ops.binary(4, 2) == 42)
check(ops.real(0.5, 0.25) == 0.75)
check(ops.sink("text", true) == nil and seen == "texttrue")
ops.binary:free() ops.real:free() ops.sink:free()

-- Closures keep their state; callbacks nest.
local count = 0
local outer
local inner = ffi.cast("cb_unary", function(n) count = count + n return count end)
outer = ffi.cast("cb_unary", function(n) if n == 0 then return inner(100) end return outer(n - 1) + inner(1) end)
check(outer(3) == 100 + 101 + 102 + 103)
inner:free() outer:free()

-- Not a callback.
fails("callback", function() ffi.cast("cb_unary", 16):free() end)
fails("function expected", function()
  local cb = ffi.cast("cb_unary", function() return 0 end)
  local ok, message = pcall(cb.set, cb, 5)
  cb:free()
  error(message)
end)

do
  -- An error inside is raised where C was called; the value is kept.
  fails("inside the callback", function() C.qsort(array, 5, 4, function() error("inside the callback") end) end)
  local object = {}
  local ok, value = pcall(C.qsort, array, 5, 4, function() error(object) end)
  check(not ok and rawequal(value, object))
  -- A result that does not convert is an error, too.
  fails("cannot convert 'string' to 'int'", function() C.qsort(array, 5, 4, function() return "x" end) end)
  -- The library goes on after it.
  C.qsort(array, 5, 4, compare)
  check(list(array, 5) == "-1 0 3 5 9")

  -- In a coroutine; a yield across C is an error.
  local co = coroutine.wrap(function()
    C.qsort(array, 5, 4, function(a, b) return compare(b, a) end)
    return list(array, 5)
  end)
  check(co() == "9 5 3 0 -1")
  fails("yield", coroutine.wrap(function() C.qsort(array, 5, 4, function() coroutine.yield() end) end))

  -- One made in a coroutine outlives it.
  local made = coroutine.wrap(function() return ffi.cast("cb_unary", function(n) return n + 1 end) end)()
  collectgarbage() collectgarbage()
  check(made(1) == 2)
  made:free()

  -- Many, made and freed.
  for i = 1, 2000 do
    local cb = ffi.cast("cb_unary", function(n) return n + i end)
    check(cb(1) == i + 1)
    cb:free()
  end
end
