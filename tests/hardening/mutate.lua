-- Mutates Lua programs token by token: `mutate.lua SEED COUNT FOLDER FILE...` writes COUNT programs, each made of one of the files, to
-- FOLDER/1.lua and so on. The same seed and files give the same programs.
local seed, count, folder = tonumber(arg[1]), tonumber(arg[2]), arg[3]
local files = {}
for i = 4, #arg do files[#files + 1] = arg[i] end

-- Park and Miller's generator, in doubles, so that every Lua draws the same.
local state = seed % 2147483646 + 1
local function draw(n)
  state = state * 16807 % 2147483647
  return math.floor(state / 2147483647 * n) + 1
end
local function one(list) return list[draw(#list)] end

local numbers = {
  "2^31", "-1", "0/0", "nil", "2^53", "1/0", "-2^63", "2^32", "0", "1.5", "'1'", "255", "65536", "-2147483648", "1e308", "3", "2^40",
}
local values = {
  "nil", "{}", "''", "print", "true", "(0/0)", "2^31", "-1", "ffi.new('int[2]')", "ffi.typeof('int')", "coroutine.create(print)",
  "ffi.C", "ffi.new('void *')", "io.stdout", "function(...) return ... end", "error", "ffi.cast('int (*)(int)', tostring)",
  "setmetatable({}, { __index = error, __gc = error })", "ffi", "('x'):rep(70000)", "ffi.gc(ffi.new('int[1]'), error)", "coroutine.yield",
  "collectgarbage", "coroutine.wrap(coroutine.yield)", "{ 1, 2, 3 }", "ffi.new('struct { int a; double b; char c[3]; }')", "'int'",
}
local c_words = {
  "int", "char", "double", "long", "unsigned", "struct", "union", "enum", "*", "&", "(", ")", "[", "]", "{", "}", ";", ",", "...", "const",
  "void", "0", "-1", "2147483648", "4294967296", "18446744073709551616", "[?]", "[$]", "$", "__attribute__((packed))", "typedef",
  "__attribute__((aligned(1073741824)))", "__attribute__((vector_size(16)))", "__attribute__((mode(TI)))", "_Complex", "long double",
  "__int128", "_Bool", "_Float16", ": 3", ": 0", "static", "extern", "(((((", "[1][1][1]", "asm(\"x\")", "__stdcall", "sizeof(int)", "?", "\n#define x\n",
  "'a'", "\"s\"", "0x", "1e9", "/*", "//", "\\", "\0", "[2147483647]", "[1 << 62]", "1/0", "% 0", "<< 64",
}
local statements = {
  "collectgarbage()", "coroutine.yield()", "do return end", "error({})", "debug.sethook(function() collectgarbage() end, '', 1)",
  "debug.sethook()", "collectgarbage('generational')", "collectgarbage('stop')", "ffi.option('null', 'nil')", "ffi.poll()", "os.exit(true, true)",
  "for k in pairs(_G) do if type(_G[k]) == 'userdata' then _G[k] = nil end end", "string = nil", "error(ffi.new('int[3]'))",
}

--- The tokens of a text as pieces that joined give it again: { kind, text }.
local function pieces_of(text)
  local list, at = {}, 1
  local function take(kind, pattern)
    local from, to = text:find("^" .. pattern, at)
    if not from then return end
    list[#list + 1] = { kind, text:sub(from, to) }
    at = to + 1
    return true
  end
  while at <= #text do
    local level = text:match("^%-?%-?%[(=*)%[", at)
    if level and take(text:sub(at, at) == "-" and "space" or "string", "%-?%-?%[" .. level .. "%[.-%]" .. level .. "%]") then
    elseif take("space", "%-%-[^\n]*") or take("space", "%s+") or take("name", "[%a_][%w_]*") or take("number", "%.?%d[%w%.]*") then
    elseif take("string", '"[^"\n]*"') or take("string", "'[^'\n]*'") or take("mark", "%.%.%.?") or take("mark", "[=~<>]=") then
    else take("mark", ".") end
  end
  return list
end

local function pick(list, kinds)
  for _ = 1, 50 do
    local n = draw(#list)
    if kinds[list[n][1]] then return n end
  end
  return draw(#list)
end
local any = { name = true, number = true, string = true, mark = true }
local value = { name = true, number = true, string = true }

--- A change within a string, which may be C.
local function mutate_string(text)
  local open, inside, close = text:match "^(%[=*%[)(.*)(%]=*%])$"
  if not open then open, inside, close = text:sub(1, 1), text:sub(2, -2), text:sub(-1) end
  local list = pieces_of(inside)
  if #list == 0 then return open .. "int" .. close end
  local n = pick(list, any)
  local way = draw(7)
  local word = one(c_words)
  if #open == 1 and word:find "[\n\"'\\%z]" then word = "int" end
  if way == 1 then list[n][2] = ""
  elseif way == 2 then list[n][2] = word
  elseif way == 3 then list[n][2] = list[n][2] .. " " .. word
  elseif way == 4 then
    local m = pick(list, any)
    list[n][2], list[m][2] = list[m][2], list[n][2]
  elseif way == 5 then list[n][2] = (list[n][2] .. " "):rep(draw(300))
  elseif way == 6 then list[n][2] = list[pick(list, any)][2]
  else
    local number = pick(list, { number = true })
    list[number][2] = one { "0", "-1", "2147483648", "1073741824", "4294967297", "9223372036854775807", "65536", "3" }
  end
  local parts = {}
  for i, piece in ipairs(list) do parts[i] = piece[2] end
  local changed = table.concat(parts)
  if #open == 1 then changed = changed:gsub("[\n" .. open .. "]", " ") end
  return open .. changed .. close
end

local ways = {
  function(list) list[pick(list, any)][2] = " " end,
  function(list)
    local a, b = pick(list, any), pick(list, any)
    list[a][2], list[b][2] = list[b][2], list[a][2]
  end,
  function(list) list[pick(list, { number = true })][2] = one(numbers) end,
  function(list) list[pick(list, { number = true })][2] = one(numbers) end,
  function(list) list[pick(list, value)][2] = one(values) end,
  function(list) list[pick(list, value)][2] = one(values) end,
  function(list) list[pick(list, { name = true })][2] = list[pick(list, { name = true })][2] end,
  function(list) list[pick(list, value)][2] = list[pick(list, value)][2] end,
  function(list)
    local n = pick(list, { string = true })
    if list[n][1] == "string" then list[n][2] = mutate_string(list[n][2]) end
  end,
  function(list)
    local n = pick(list, { string = true })
    if list[n][1] == "string" then list[n][2] = mutate_string(list[n][2]) end
  end,
}
local line_ways = {
  function(lines) table.remove(lines, draw(#lines)) end,
  function(lines) table.insert(lines, draw(#lines), lines[draw(#lines)]) end,
  function(lines) table.insert(lines, draw(#lines), one(statements)) end,
  function(lines)
    local n = draw(#lines)
    lines[n] = "for i = 1, 3 do pcall(coroutine.wrap(function() " .. lines[n] .. "\nend)) end"
  end,
  function(lines)
    local n = draw(#lines)
    lines[n] = "ffi.gc(ffi.new 'int[1]', function() " .. lines[n] .. "\nend) collectgarbage()"
  end,
  function(lines)
    local n = draw(#lines)
    lines[n] = "pcall(ffi.cast('void (*)(void)', function() " .. lines[n] .. "\nend))"
  end,
}

local loader = loadstring or load
for n = 1, count do
  state = (seed * 1000003 + n * 7919) % 2147483646 + 1
  for _ = 1, 5 do draw(2) end
  local path = one(files)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  local made
  -- Most changes that do not compile say nothing: a few tries.
  for _ = 1, 20 do
    local list = pieces_of(text)
    for _ = 1, draw(3) do one(ways)(list) end
    local parts = {}
    for i, piece in ipairs(list) do parts[i] = piece[2] end
    local changed = table.concat(parts)
    if draw(3) == 1 then
      local lines = {}
      for line in (changed .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
      one(line_ways)(lines)
      changed = table.concat(lines, "\n")
    end
    made = changed
    if loader(changed) then break end
  end
  local out = assert(io.open(folder .. "/" .. n .. ".lua", "wb"))
  out:write("-- seed ", seed, ", program ", n, " of ", path, "\n", made, "\n")
  out:close()
end
