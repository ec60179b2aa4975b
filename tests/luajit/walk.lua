-- Every function of every library, called with arguments of many shapes: it returns or raises, and returns what LuaJIT's does.
local libraries = {
  { "_G", "assert collectgarbage error gcinfo getmetatable ipairs load loadstring next newproxy pairs pcall rawequal rawget rawset select setmetatable tonumber tostring type unpack xpcall" },
  { "string", "byte char dump find format gmatch gsub len lower match rep reverse sub upper" },
  { "table", "concat foreach foreachi getn insert maxn move remove sort" },
  { "math", "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max min modf pow rad random randomseed sin sinh sqrt tan tanh" },
  { "coroutine", "create isyieldable resume running status wrap yield" },
  { "os", "clock difftime getenv rename setlocale time tmpname" },
  { "io", "lines open tmpfile type write" },
  { "package", "loadlib searchpath seeall" },
  { "debug", "getfenv gethook getinfo getmetatable getregistry getupvalue setupvalue" },
  { "bit", "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex" },
}

-- Functions that would end the process, wait for input, or change the ground of the rest of the program.
local left_alone = {}
for name in ([[os.exit os.execute os.remove debug.debug debug.sethook debug.setmetatable debug.setfenv debug.setuservalue debug.setcstacklimit
  io.read io.output io.input io.close io.popen _G.print _G.dofile _G.loadfile _G.require _G.setfenv _G.getfenv _G.module coroutine.close
  _G.warn os.date debug.traceback debug.getlocal]]):gmatch("%S+") do
  left_alone[name] = true
end

-- Results that differ from run to run or from version to version by their nature.
local by_type = {}
for name in ([[os.clock os.date os.time os.tmpname os.getenv os.setlocale _G.gcinfo _G.collectgarbage string.dump debug.traceback io.lines
  debug.gethook debug.getinfo debug.getlocal debug.getregistry debug.getupvalue debug.setupvalue debug.upvalueid debug.getfenv
  debug.getmetatable debug.upvaluejoin]]):gmatch("%S+") do
  by_type[name] = true
end

local function shapes()
  local upvalue = 1
  local function identity(...) return upvalue and ... end
  local thread = coroutine.create(identity)
  return {
    {}, { nil, n = 1 }, { true }, { false, "message" }, { 1 }, { 0 }, { -1.5 }, { 2.75 }, { 1e300 }, { "abc" }, { "10" }, { " 0x1p4 " }, { {} },
    { { 1, 2, 3 } }, { { "b", "a", "c" } }, { identity }, { thread }, { io.stdout }, { "abc", 1 }, { "abc", 2, 3 }, { "abc", 2.9, -1 },
    { "abcabc", "b" }, { "abcabc", "b", 3.5 }, { "abcabc", "(b)", "%1%1" }, { "abcabc", "b", "x", 1.5 }, { "abc", ".", { a = 1, b = 2.0 } },
    { "abc", ".", identity }, { "abc", "-", 2 }, { "abc", 3, "-" }, { "%d|%s|%5.1f|%x|%q", 3.0, 2.0, 1.25, 255, "a\nb" }, { "%s %s", nil, true, n = 3 },
    { "%i %c %e %g %o", 7.9, 65, 12345.678, 0.1, 8 }, { "%y", 1 }, { "%d" }, { { 1, 2, 3 }, 2 }, { { 1, 2, 3 }, "," }, { { 1, 2.0, "x" }, 4, 1, 3 },
    { { 1, 2, 3 }, 1.0, 9 }, { { 1, 2, 3 }, 2, 3, 5 }, { { 1, 2, 3 }, 1, 3, 2, {} }, { { 3, 1, 2 }, function(a, b) return a > b end },
    { { 1, 2, 3 }, identity }, { { 1, 2, 3 }, 5 }, { { 1, 2, 3 }, "k", 7 }, { {}, {} }, { {}, nil, n = 2 }, { 1, 2 }, { 10, 3 }, { 7.5, -2 }, { -6, 3 }, { 2, 0 },
    { 3, 1, 2 }, { 1, "x", "y" }, { -1, "x", "y" }, { "#", "x", nil, n = 3 }, { 2.5, "x", "y" }, { "z", 36 }, { "z", 16 }, { 644, 8 }, { "7", 2.5 },
    { "ff", "16" }, { identity, identity }, { identity, 1, 2 }, { identity, thread }, { thread, 5 }, { "return 1, ...", "=chunk" }, { "return +" }, { "r", "t" },
    { "count" }, { "step", 100 }, { nil, 5, n = 2 }, { "a", "b", "c" }, { 1, 2, 3, 4 }, { 1LL }, { 255, 4 }, { 255, -4 }, { 1LL, 2 },
    { 0x7fffffff, 33 }, { "*t", 0 }, { "!%Y-%m-%d", 86400.5 }, { { day = 1 } }, { 3, 2 },
  }
end

local function show(value)
  local ty = type(value)
  if ty == "string" then return ("%q"):format((value:gsub("0x%x%x%x%x%x+", "(address)"))) end
  if ty == "table" then
    local items = {}
    for i = 1, math.min(#value, 9) do items[i] = type(value[i]) == "table" and "table" or tostring(value[i]) end
    return "{" .. table.concat(items, ",") .. "}"
  end
  if ty == "function" or ty == "thread" or ty == "userdata" then return ty end
  return tostring(value)
end

local function outcome(name, ok, ...)
  if not ok then return "error" end
  local results, first = {}, ...
  for i = 1, select("#", ...) do
    local value = (select(i, ...))
    -- The words of a message are the running Lua's.
    if i > 1 and not first and type(value) == "string" then value = "a message" end
    results[i] = by_type[name] and type(value) or show(value)
  end
  return table.concat(results, " ")
end

local known = {}
for _, entry in ipairs(libraries) do
  local owner, names = entry[1], entry[2]
  for name in names:gmatch("%S+") do
    local full = owner .. "." .. name
    known[full] = true
    local f = owner == "_G" and _G[name] or _G[owner][name]
    for i, shape in ipairs(shapes()) do
      math.randomseed(i)
      -- `bit` leaves open what becomes of larger numbers than 2^51, `debug` that of larger levels than 2^31.
      if (owner == "bit" or owner == "debug") and shape[1] == 1e300 then shape[1] = 2^30 end
      local asked = next(shape) ~= nil or name ~= "floor" and name ~= "ceil" -- LuaJIT's return what was in a register
      if full == "_G.next" and type(shape[1]) == "table" and shape[2] == 4 then asked = false end -- of a key that is not there
      if asked then print(full, i, outcome(full, pcall(f, unpack(shape, 1, shape.n or #shape)))) end
    end
  end
end

-- The other functions return or raise, too. LuaJIT has fewer.
local called = 0
for _, owner in ipairs { "_G", "string", "table", "math", "coroutine", "os", "io", "package", "debug", "utf8" } do
  local library = owner == "_G" and _G or rawget(_G, owner) or {}
  local names = {}
  for name, value in pairs(library) do
    if type(value) == "function" and not known[owner .. "." .. name] and not left_alone[owner .. "." .. name] then names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    for _, shape in ipairs(shapes()) do
      pcall(library[name], unpack(shape, 1, shape.n or #shape))
      called = called + 1
    end
  end
end
print("done", called >= 0)
