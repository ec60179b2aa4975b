-- Prints what operators do with pointers, arrays, values with metatypes and others: results, and errors word for word. The output
-- must not depend on how it is done.
local ffi = require "ffi"

ffi.cdef [[
struct whole { int n; double d; };
struct nothing {};
struct unknown_whole;
struct over { int n; };
struct half { int n; };
]]
local function kind(value) return type(value) == "userdata" and tostring(ffi.typeof(value)) or type(value) end
local over, half = {}, {}
for _, event in ipairs { "add", "sub", "eq", "lt", "le", "mul", "idiv", "concat", "band", "len", "unm" } do
  over["__" .. event] = function(a, b)
    if event == "lt" and type(b) == "number" then error("not with a number") end
    return event .. " of " .. kind(a) .. " and " .. kind(b)
  end
end
function half.__add(a, b) return kind(a) .. " and " .. kind(b) end
ffi.metatype("struct over", over)
ffi.metatype("struct half", half)
local ints, chars = ffi.new("int[8]"), ffi.new("char[?]", 20)
local wholes = ffi.new("struct whole[4]")
local holder = ffi.new("struct { int n; int list[4]; }")
local base = {}
local values = {}
local function add(name, value, origin)
  values[#values + 1] = { name, value }
  base[#base + 1] = ffi.tonumber(ffi.cast("intptr_t", ffi.cast("char *", origin or value)))
end
add("ints", ints)
add("chars", chars)
add("wholes", wholes)
add("list", holder.list)
add("int *", ints + 1, ints)
add("int * too", ffi.cast("int *", ints) + 6, ints)
add("const int *", ffi.cast("const int *", ints), ints)
add("int *const", ffi.new("int *const", ints), ints)
add("char *", chars + 3, chars)
add("unsigned char *", ffi.cast("unsigned char *", chars), chars)
add("whole *", wholes + 2, wholes)
add("whole", wholes[1], wholes)
add("void *", ffi.cast("void *", ints), ints)
add("nothing *", ffi.cast("struct nothing *", ints), ints)
add("unknown *", ffi.cast("struct unknown_whole *", ints), ints)
add("function *", ffi.cast("int (*)(int)", nil), ffi.cast("char *", nil))
add("int **", ffi.new("int *[2]") + 1)
add("over", ffi.new("struct over"))
add("const over", ffi.new("const struct over"))
add("over *", ffi.new("struct over[2]") + 0)
add("half", ffi.new("struct half"))
add("half reference", ffi.new("struct half[2]")[1])
add("NULL", ffi.cast("int *", nil), ffi.cast("char *", nil))
for _, n in ipairs { 0, 1, 2, -1, 3.0, 1 << 40, math.mininteger } do add(tostring(n), n, ffi.cast("char *", nil)) end
add("int64", ffi.new("int64_t", 2), ffi.cast("char *", nil))
add("text", "2", ffi.cast("char *", nil))
add("table", {}, ffi.cast("char *", nil))

local operators = {
  ["+"] = function(a, b) return a + b end,
  ["-"] = function(a, b) return a - b end,
  ["=="] = function(a, b) return a == b end,
  ["<"] = function(a, b) return a < b end,
  ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end,
  ["*"] = function(a, b) return a * b end,
  ["//"] = function(a, b) return a // b end,
  [".."] = function(a, b) return a .. b end,
  ["&"] = function(a, b) return a & b end,
  ["#"] = function(a) return #a end,
  ["negated"] = function(a) return -a end,
}
local names = { "+", "-", "==", "<", "<=", ">", "+", "-", "*", "//", "..", "&", "#", "negated" }

-- A pointer, by its type and where it is from the start of an operand's memory.
local function show(value, from)
  if type(value) ~= "userdata" then return math.type(value) or type(value), tostring(value) end
  local kind = tostring(ffi.typeof(value))
  if not kind:find "%*" then return kind, tostring(value) end
  return kind, tostring(ffi.tonumber(ffi.cast("intptr_t", value)) - from)
end

-- The order of memory that is not one object's is any; it is the same in a run, but not in two.
local function related(a, b) return base[a] == base[b] or base[a] == 0 or base[b] == 0 end

local seed = 1
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end
for round = 1, 14000 do
  -- A metatype's operators are those that it has at the time.
  if round % 500 == 0 then
    half.__sub = round % 1000 == 0 and function(a, b) return "less: " .. kind(a) .. kind(b) end or nil
    half.__add = round % 1500 ~= 0 and function(a, b) return round .. kind(a) .. kind(b) end or nil
  end
  local a, b, name = random(#values), random(#values), names[random(#names)]
  if name == "==" or related(a, b) then
    local label = values[a][1] .. " " .. name .. " " .. values[b][1]
    -- The distance from NULL is another one in each run.
    local distance = name == "-" and base[a] ~= base[b] and type(values[b][2]) == "userdata" and values[b][1] ~= "int64"
    for _ = 1, random(3) do
      local ok, result = pcall(operators[name], values[a][2], values[b][2])
      if not ok then
        print(label, "error", result)
      elseif distance then
        print(label, "a distance", math.type(result))
      else
        print(label, show(result, base[a] ~= 0 and base[a] or base[b]))
      end
    end
  end
end

local targets = {
  "int *", "const char *", "struct whole *", "void *", "int **", "int (*)(int)", "struct over *", "int *const", "struct unknown_whole *",
  "struct whole", ffi.typeof "int *", ffi.typeof "const char *", ffi.typeof "struct over *", ffi.typeof "void (*)(void)",
}
for _ = 1, 4000 do
  local target, b = targets[random(#targets)], random(#values)
  -- Where a Lua string is changes from run to run.
  for _ = 1, values[b][1] ~= "text" and random(3) or 0 do
    local ok, result = pcall(ffi.cast, target, values[b][2])
    print(tostring(target), values[b][1], ok or "error", ok and show(result, base[b]) or result)
    if ok and type(result) == "userdata" then print(show(result, base[b])) end
  end
end
