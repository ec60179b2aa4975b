-- Callbacks keep their arguments, give them finalisers, are made and freed, while Lua collects garbage in every way that it has. The
-- output must not depend on how it is done.
local ffi = require "ffi"
local lib = ffi.load(arg[1])

ffi.cdef [[
void *through_memory(void *(*f)(void *), void *x);
uint64_t through_uint64(uint64_t (*f)(uint64_t), uint64_t x);
int32_t through_int32(int32_t (*f)(int32_t), int32_t x);
void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
]]
local C, compare_type = ffi.C, "int (*)(const int *, const int *)"
local function address(p) return tostring(ffi.cast("uintptr_t", p)) end
local function collect() collectgarbage() collectgarbage() end

local function shuffled(n)
  local array, x = ffi.new("int[?]", n), 7
  for i = 0, n - 1 do x = (x * 1103515245 + 12345) % 2147483648 array[i] = x % 1000 end
  return array
end
local function sorted(array, n)
  for i = 1, n - 1 do if array[i - 1] > array[i] then return false end end
  return true
end

-- Every seventh pair of arguments is kept; each is the pointer that it was when everything is over.
local function keeping(label)
  local kept, calls = {}, 0
  local callback = ffi.cast(compare_type, function(p, q)
    calls = calls + 1
    if calls % 7 == 0 then kept[#kept + 1] = { p, address(p), p[0] } kept[#kept + 1] = { q, address(q), q[0] } end
    if calls % 100 == 0 then collectgarbage "step" end
    return p[0] - q[0]
  end)
  local array = shuffled(200)
  C.qsort(array, 200, 4, callback)
  collect()
  local same, types = 0, {}
  for _, k in ipairs(kept) do
    if address(k[1]) == k[2] then same = same + 1 end
    types[tostring(ffi.typeof(k[1]))] = true
  end
  print(label, "kept", calls > 1000, #kept > 300, same == #kept, next(types), next(types, (next(types))), sorted(array, 200))
  callback:free()
end

-- A finaliser that one argument got does not apply to a later argument, and runs as soon as its argument is garbage.
local function finalising(label)
  local block, ended = ffi.new "int[4]", 0
  local function identity(p) return p end
  local callback = ffi.cast("void *(*)(void *)", identity)
  for i = 1, 60 do
    callback:set(function(p) ffi.gc(p, function() ended = ended + 1 end) return p end)
    lib.through_memory(callback, block + i % 3)
    callback:set(identity)
    lib.through_memory(callback, block + i % 3)
    if i % 20 == 0 then collect() print(label, "finalised", i, ended) end
  end
  local mine
  callback:set(function(p) mine = p return p end)
  lib.through_memory(callback, block)
  ffi.gc(mine, function() ended = ended + 1000 end)
  ffi.gc(mine, nil)
  mine = nil
  collect()
  print(label, "finalised", ended)
  callback:free()
end

-- A finaliser that runs wherever Lua allocates sorts as well.
local function finalisers_sort(label)
  local sorts, errors = 0, 0
  local function compare(p, q) return p[0] - q[0] end
  local callback = ffi.cast(compare_type, compare)
  local function garbage()
    ffi.gc(ffi.new "int[2]", function()
      local array = shuffled(20)
      C.qsort(array, 20, 4, callback)
      sorts = sorts + 1
      if not sorted(array, 20) then errors = errors + 1 end
    end)
  end
  local outer = ffi.cast(compare_type, function(p, q) garbage() return compare(p, q) end)
  for _ = 1, 2 do
    local array = shuffled(60)
    C.qsort(array, 60, 4, outer)
    if not sorted(array, 60) then errors = errors + 1 end
  end
  collect()
  print(label, "sorts", sorts > 400, errors)
  outer:free() callback:free()
end

local function integers(label)
  local kept = {}
  local callback = ffi.cast("uint64_t (*)(uint64_t)", function(n) kept[#kept + 1] = n return n + 1 end)
  for i = 1, 100 do
    local n = ffi.new("uint64_t", -i)
    if lib.through_uint64(callback, n) ~= n + 1 then print(label, "integer", i) end
  end
  collect()
  local sum = ffi.new "uint64_t"
  for _, n in ipairs(kept) do sum = sum + n end
  print(label, "integers", tostring(sum))
  callback:free()
end

-- Lua's stack grows, and so moves, while the callback runs: on threads whose stack is small, more each time.
local function growing(label)
  local function deep(n) if n == 0 then return 1 end return 1 + deep(n - 1) end
  local integer = ffi.cast("int32_t (*)(int32_t)", function(n) return deep(n) end)
  local pointer = ffi.cast("void *(*)(void *)", function(p) deep(ffi.tonumber(ffi.cast("intptr_t", p))) return p end)
  for _, n in ipairs { 1, 30, 300, 3000, 30000, 1 } do
    local thread = coroutine.wrap(function()
      local p = lib.through_memory(pointer, ffi.cast("void *", n))
      return lib.through_int32(integer, n), address(p)
    end)
    print(label, "deep", n, thread())
  end
  local ok, message = pcall(lib.through_int32, ffi.cast("int32_t (*)(int32_t)", function() return deep(1e7) end), 1)
  print(label, "deep", ok, tostring(message):match "stack overflow")
  integer:free() pointer:free()
end

-- Callbacks made and freed in every order; the functions of those in use are theirs, whatever was freed before.
local function making(label)
  local made, right, x = {}, 0, 11
  for i = 1, 1500 do
    x = (x * 1103515245 + 12345) % 2147483648
    local n = x // 65536 % 60 + 1
    if made[n] then
      if lib.through_int32(made[n][1], 1) == made[n][2] then right = right + 1 end
      if x % 5 == 0 then ffi.gc(made[n][1], function() end) end
      made[n][1]:free()
      if pcall(made[n][1].free, made[n][1]) then print(label, "freed twice", i) end
      if x % 11 == 0 then ffi.gc(made[n][1], nil) end
      made[n] = nil
    else
      made[n] = { ffi.cast("int32_t (*)(int32_t)", function(y) return y + i end), i + 1 }
    end
    if x % 97 == 0 then collectgarbage "step" end
    if x % 499 == 0 then collect() end
  end
  print(label, "made", right)
  for n = 1, 60 do if made[n] then made[n][1]:free() end end
  local all = {}
  for i = 1, 300 do all[i] = ffi.cast("int32_t (*)(int32_t)", function(y) return y * i end) end
  collect()
  local sum = 0
  for i = 1, 300 do sum = sum + lib.through_int32(all[i], 2) end
  for i = 1, 300 do all[i]:free() end
  print(label, "all", sum)
end

-- More at a time than have a place on the shelf of Lua functions; then again, from those that were freed.
local function crowd(label, count)
  for _ = 1, 2 do
    local all, sum = {}, 0
    for i = 1, count do all[i] = ffi.cast("int32_t (*)(int32_t)", function(y) return y + i end) end
    collect()
    for i = 1, count do sum = sum + lib.through_int32(all[i], 1) end
    for i = 1, count do all[i]:set(function(y) return y - i end) end
    collect()
    for i = count, 1, -1 do sum = sum + 2 * lib.through_int32(all[i], 1) end
    for i = 1, count do all[i]:free() end
    print(label, "crowd", sum)
  end
end

-- As Lua is, in as many steps as it can, and by generations; a version that does not know one does as before.
local modes = {
  { "usual" },
  { "eager", { "setpause", 1 }, { "setstepmul", 1000 }, { "param", "pause", 1 }, { "param", "stepmul", 1000 } },
  { "generational", { "generational" } },
}
local function collect_as(mode)
  for i = 2, #mode do pcall(collectgarbage, table.unpack(mode[i])) end
end
for _, mode in ipairs(modes) do
  collect_as(mode)
  for i = 1, 2 do
    local label = mode[1] .. i
    keeping(label)
    finalising(label)
    finalisers_sort(label)
    integers(label)
    growing(label)
    making(label)
  end
end
collect_as { "usual", { "incremental" }, { "setpause", 200 }, { "setstepmul", 200 }, { "param", "pause", 200 }, { "param", "stepmul", 200 } }
crowd("last", 4500)
