-- ffi.gc, and what keeps what alive
local ffi = require "ffi"

ffi.cdef [[ struct gc_s { int id; struct { int a[4]; } in; }; ]]

-- A finaliser runs once, with the cdata, after the last reference is gone.
local log = {}
do
  local p = ffi.gc(ffi.cast("void *", 0x1230), function(o) log[#log + 1] = tostring(o) end)
  collect()
  check(#log == 0 and p)
end
collect()
check(#log == 1 and log[1]:find("0x00001230"))
collect()
check(#log == 1)

-- ffi.gc returns its first argument.
local s = ffi.new("struct gc_s", 5)
check(rawequal(ffi.gc(s, function() end), s))

-- Replacing and removing.
local which
do
  local q = ffi.gc(ffi.new("int[1]"), function() which = "first" end)
  ffi.gc(q, function() which = "second" end)
end
collect()
check(which == "second")
which = nil
do
  local q = ffi.gc(ffi.new("int[1]"), function() which = "first" end)
  ffi.gc(q, nil)
end
collect()
check(which == nil)
do
  local q = ffi.gc(ffi.new("int[1]"), function() which = "first" end)
  ffi.gc(q, nil)
  ffi.gc(q, function() which = "third" end)
end
collect()
check(which == "third")

-- Also removes and replaces the one that a metatype gave.
ffi.cdef [[ typedef struct { int n; } gc_meta; ]]
local finalized = 0
local meta = ffi.metatype("gc_meta", { __gc = function() finalized = finalized + 1 end })
do
  local one, two = meta(), meta()
  ffi.gc(one, nil)
  ffi.gc(two, function() finalized = finalized + 100 end)
end
collect()
check(finalized == 100)

-- Every cdata has its own.
local sum = 0
for i = 1, 10 do
  ffi.gc(ffi.new("int[1]", i), function(o) sum = sum + o[0] end)
end
collect()
check(sum == 55)

-- The finaliser may be any callable; one with an error does not stop the others.
local called = 0
ffi.gc(ffi.new("int[1]"), setmetatable({}, { __call = function() called = called + 1 end }))
if differs "finalizer-errors" then
  ffi.gc(ffi.new("int[1]"), function() error("ignored") end)
end
ffi.gc(ffi.new("int[1]"), function() called = called + 1 end)
collect()
check(called == 2)

-- It may resurrect its cdata, and set a new finaliser.
local saved, times = nil, 0
do
  local function again(o)
    times = times + 1
    saved = o
    if times < 3 then ffi.gc(o, again) end
  end
  ffi.gc(ffi.new("int[1]", 77), again)
end
for i = 1, rearms and 3 or 1 do
  collect()
  check(times == i and saved[0] == 77)
  saved = nil
end
collect()
check(times == (rearms and 3 or 1))

-- A number has no finaliser, and neither has a value that is no cdata.
fails("invalid C type", ffi.gc, ffi.new("int"), print)
fails("invalid C type", ffi.gc, ffi.new("double"), print)
fails("cdata expected, got number", ffi.gc, 5, print)
fails("cdata expected, got nil", ffi.gc, nil, print)
fails("bad argument #2", ffi.gc, ffi.new("int[1]"))

-- References and pointers into a cdata keep it alive. LuaJIT does not.
if differs "keeps-alive" then
  local alive = {}
  local function tracked(ctype, ...)
    local o = ffi.new(ctype, ...)
    local key = {}
    alive[key] = true
    return ffi.gc(o, function() alive[key] = nil end), function() collect() return alive[key] end
  end
  local function keeps(make)
    -- The first is made by general code, and may show how to make more.
    for _ = 1, 3 do
      local o, is_alive = tracked("struct gc_s", 9)
      local derived = make(o)
      o = nil
      check(is_alive(), "the owner is gone while something points into it")
      derived = nil
      check(not is_alive(), "the owner stays for no reason")
    end
  end
  keeps(function(o) return o["in"] end)
  keeps(function(o) return o["in"].a end)
  keeps(function(o) return o["in"].a + 2 end)
  keeps(function(o) return ffi.cast("int *", o) end)
  keeps(function(o) return ffi.cast("int *", o) + 1 end)
  keeps(function(o) return ffi.cast("int *", o) + 3 - 1 end)
  keeps(function(o) return ffi.cast("char *", ffi.cast("int *", o) + 1) end)
  keeps(function(o) return ffi.cast("struct gc_s *", o)[0] end)
  keeps(function(o) return ffi.new("struct gc_s *", o) end)
  keeps(function(o) return ffi.addressof(o) end)
  keeps(function(o) return ffi.addressof(o["in"]) end)

  local o, is_alive = tracked("int[4]", 1, 2, 3, 4)
  local middle = 1 + o
  o = nil
  check(is_alive() and middle[0] == 2)
  middle = nil
  check(not is_alive())

  -- A pointer with a finaliser is kept by what is made from it.
  local pointer = ffi.gc(ffi.cast("int *", ffi.new("int[2]", 5, 6)), function() alive.pointer = nil end)
  alive.pointer = true
  local second = pointer + 1
  pointer = nil
  collect()
  check(alive.pointer and second[0] == 6)
  second = nil
  collect()
  check(not alive.pointer)

  -- A Lua string is kept by a pointer made from it.
  local text = ffi.cast("const char *", ("x"):rep(1000) .. tostring({}))
  collect()
  for _ = 1, 1000 do local _ = ("y"):rep(1000) end
  check(ffi.string(text, 1000) == ("x"):rep(1000))
end

-- Many objects, no finaliser: nothing piles up.
collect()
local before = collectgarbage("count")
for i = 1, 20000 do
  local t = ffi.new("struct gc_s", i)
  local _ = t["in"].a
end
collect()
check(collectgarbage("count") < before + 200)

-- A finaliser that the cdata of a callback gets after the callback was freed runs when the cdata is garbage.
local finalized = 0
local function free_and_finalize()
  local ct, freed = ffi.typeof "int (*)(int)", {}
  for i = 1, 40 do freed[i] = ffi.cast(ct, function(x) return x end) end
  for i = 1, 40 do freed[i]:free() end
  for i = 1, 40 do ffi.gc(freed[i], function() finalized = finalized + 1 end) end
end
free_and_finalize()
collect()
collect()
check(finalized >= 39, finalized)
