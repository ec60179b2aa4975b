-- Calls every function that a script can reach from the library, by its table, metatables, upvalues and the registry, with values
-- that it does not expect: nothing of that ends the process. Prints how many functions were called, and how often.
--
-- Left out is what would be undefined behaviour in C: pointers that lead nowhere where memory is read or written, sizes beyond
-- the memory, userdata as memory to write to, as LuaJIT allows. And what only waits.
local reaches = {}

--- Everything that can be reached from a value, as a set.
local function reach(from, seen)
  seen = seen or {}
  local list = { from }
  local function add(value)
    local kind = type(value)
    if (kind == "table" or kind == "function" or kind == "userdata" or kind == "thread") and not seen[value] and value ~= reaches then
      seen[value] = true
      list[#list + 1] = value
    end
  end
  add(from)
  while #list > 0 do
    local value = table.remove(list)
    add(debug.getmetatable(value))
    if type(value) == "table" then
      for k, v in next, value do
        add(k)
        add(v)
      end
    elseif type(value) == "function" then
      for i = 1, 255 do
        local name, upvalue = debug.getupvalue(value, i)
        if not name then break end
        add(upvalue)
      end
    end
    local user = debug.getuservalue and type(value) == "userdata" and debug.getuservalue(value)
    add(user)
  end
  return seen
end

local before = reach(debug.getregistry(), reach(_G))
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef [[
  int abs(int);
  int snprintf(char *, size_t, const char *, ...);
  struct walk_point { int x; double y; char name[8]; };
  struct walk_class { int n; };
  enum walk_color { WALK_RED, WALK_BLUE };
]]
ffi.metatype("struct walk_class", {
  __index = { get = function(c) return c.n end },
  __add = function() return 1 end,
  __gc = function() end,
})
local function nothing() end
local function make()
  local callback = ffi.cast("int (*)(int)", function(x) return x end)
  return {
    false, true, 0, 1, -1, 2.5, 2 ^ 53, 0 / 0, "", "int", "x", "a\0b", {}, { 1, 2 }, nothing, coroutine.create(nothing), io.stdout,
    ffi.new "int[4]", ffi.new "struct walk_point", ffi.new "struct walk_class", ffi.typeof "int", ffi.typeof "struct walk_point",
    ffi.new("int64_t", -5), ffi.new "void *", callback, ffi.C, ffi.C.abs, ffi.C.snprintf, ffi.new("enum walk_color", 1),
    ffi.new "double", ffi.scope(), ffi.gc(ffi.new "int[2]", nothing),
  }
end
local values = make()
-- Everything that a working program has made: thunks, callbacks, caches.
for i = 1, 3 do
  assert(values[27](-i) == i and values[19].x == 0 and values[20]:get() == 0)
  ffi.string(ffi.new("char[3]", "ab"))
  ffi.copy(values[18], "abc")
  values[25](3)
  tostring(values[22])
end

local after = reach(debug.getregistry(), reach(ffi))
for _, value in ipairs(values) do
  if type(value) == "userdata" then reach(value, after) end
end
local functions, last, own = {}, {}, {}
for value in next, after do
  if not before[value] and value ~= nothing and value ~= make and value ~= reach then
    -- A light userdata is an address, and as good as any pointer; a cdata may be one.
    local meta = debug.getmetatable(value)
    if type(value) == "userdata" and meta and ffi.type(value) ~= "cdata" then
      values[#values + 1] = value
      local gc = type(meta) == "table" and rawget(meta, "__gc")
      -- The finaliser that closes the library is called at the end.
      if gc and gc ~= rawget(debug.getmetatable(ffi.new "int[2]") or {}, "__gc") then last[gc] = true end
    elseif type(value) == "function" and debug.getinfo(value, "S").what == "C" then
      functions[#functions + 1] = value
      own[value] = true
    end
  end
end

-- `ffi.C.abs` and the like, by what they are called with below, are harmless; these are not.
local memory = { [ffi.copy] = true, [ffi.fill] = true, [ffi.string] = true }
local harmless = { false, true, 0, 1, 2, 2.5, "", "x", {}, nothing, coroutine.create(nothing), values[18], values[19], ffi.typeof "int" }
local skipped = { [ffi.poll] = true, [ffi.C.snprintf] = true }

local calls = 0
local traced = os.getenv "CTHUNK_WALK"
local names = {}
if traced then
  for n, value in next, values do
    local meta, keys = debug.getmetatable(value), {}
    for k in next, type(value) == "userdata" and meta or {} do keys[#keys + 1] = tostring(k) end
    io.stderr:write(n, " ", type(value), " ", table.concat(keys, " "):sub(1, 300), "\n")
  end
  for name, f in next, ffi do names[f] = "ffi." .. tostring(name) end
  for _, value in ipairs(values) do
    local meta = debug.getmetatable(value)
    for name, f in next, type(meta) == "table" and meta or {} do names[f] = names[f] or tostring(name) end
  end
end
local function call(f, ...)
  calls = calls + 1
  if traced then
    local list = {}
    for i = 1, select("#", ...) do
      local value = select(i, ...)
      for n, known in next, values do
        if rawequal(known, value) then list[i] = "#" .. n end
      end
      list[i] = list[i] or tostring(value)
    end
    io.stderr:write(names[f] or tostring(f), "(", table.concat(list, ", "), ")\n")
  end
  pcall(f, ...)
end
local function attack(f)
  if skipped[f] then return call(f, {}) end
  local list = memory[f] and harmless or values
  call(f)
  call(f, nil)
  for i = 1, #list do
    local a = list[i]
    call(f, a)
    call(f, nil, a)
    for j = 1, #list do
      call(f, a, list[j])
      -- Two of all for the third, other ones each time.
      call(f, a, list[j], list[(i * 7 + j * 3 + calls) % #list + 1])
      call(f, a, list[j], nil, list[(i * 5 + j + calls) % #list + 1])
    end
  end
end

-- The order of `next` is another one in each process.
local count = 0
for _, f in ipairs(functions) do
  if not last[f] then
    count = count + 1
    attack(f)
    if count % 20 == 0 then collectgarbage() end
  end
end
for _ = 1, 2 do collectgarbage() end
assert(ffi.new("int[3]", { 1, 2, 3 })[1] == 2 and ffi.C.abs(-4) == 4, "the library works no more")

-- Upvalues, metatables and user values of the library's objects.
for f in next, own do
  for i = 1, 4 do
    for _, value in ipairs { 5, "x", {}, io.stdout, values[18] } do
      if debug.setupvalue then pcall(debug.setupvalue, f, i, value) end
    end
    if debug.upvalueid then pcall(debug.upvalueid, f, i) end
    if debug.upvaluejoin then pcall(debug.upvaluejoin, f, i, nothing, 1) end
  end
  pcall(string.dump, f)
  pcall(debug.getinfo, f)
  -- As a hook it is called with words and lines. In a coroutine, as what takes it off would call it as well.
  local hooked = coroutine.create(function() tostring(5) end)
  if not jit then debug.sethook(hooked, f, "crl") end -- LuaJIT has one hook for all coroutines.
  pcall(coroutine.resume, hooked)
end
for _, cdata in ipairs(make()) do
  if type(cdata) == "userdata" and cdata ~= io.stdout then
    pcall(setmetatable, cdata, {})
    for _, value in ipairs { 5, {}, io.stdout } do
      if debug.setuservalue then pcall(debug.setuservalue, cdata, value) end
      if debug.setfenv then pcall(debug.setfenv, cdata, value) end
    end
  end
end
for f in next, own do
  if not last[f] and not skipped[f] then
    call(f)
    for _, value in ipairs(harmless) do call(f, value, value) end
  end
end
for f in next, last do
  count = count + 1
  attack(f)
end
for f in next, own do call(f, harmless[12], 0) end
collectgarbage()
print(count, calls)
