-- Prints what reading and writing of fields and elements does, for every kind of member, holder and value: results, and
-- errors word for word. The output must not depend on how it is done.
local ffi = require "ffi"

ffi.cdef [[
enum color { RED, GREEN = 5, BLUE = -1 };
struct inner { int a; double b; };
struct members_unknown;
struct members {
  bool truth; char c; int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
  float f; double d; enum color color; int *ints; const char *text; struct inner *link; void *memory; struct inner inner;
  int list[3]; char name[8]; struct inner table[2]; long double wide; complex z; const int fixed;
  int b3 : 3; unsigned u5 : 5; bool b1 : 1; int64_t b40 : 40; uint64_t b50 : 50;
  struct { int hidden; union { int left; float right; }; };
  int (*call)(int);
};
union either { int i; double d; uint8_t bytes[8]; };
]]
local members = {
  "truth", "c", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f", "d", "color", "ints", "text", "link", "memory",
  "inner", "list", "name", "table", "wide", "z", "fixed", "b3", "u5", "b1", "b40", "b50", "hidden", "left", "right", "call",
  "missing", "a name that is longer than forty characters, so that Lua does not intern it", 0, 1, 1.5, true,
}

local inner, ints = ffi.new("struct inner", 1, 2), ffi.new("int[4]", 5, 6, 7, 8)
local owner = ffi.new("struct { struct members m; struct members list[2]; }")
local single = ffi.new("struct members")
local holders = {
  { "value", single }, { "pointer", ffi.cast("struct members *", single) }, { "const value", ffi.new("const struct members") },
  { "const pointer", ffi.cast("const struct members *", single) }, { "NULL", ffi.cast("struct members *", nil) },
  { "part", owner.m }, { "element", owner.list[1] }, { "collected", ffi.gc(ffi.new("struct members"), function() end) },
  { "collected pointer", ffi.gc(ffi.cast("struct members *", single), function() end) },
  { "pointer with owner", ffi.cast("struct members *", owner) },
  { "array", ffi.new("struct members[2]") }, { "either", ffi.new("union either") }, { "ints", ints },
  { "ints *", ints + 1 }, { "const ints", ffi.new("const int[2]", 3, 4) }, { "variable", ffi.new("double[?]", 4) },
  { "bytes", ffi.new("uint8_t[4]", 255, 254) }, { "texts", ffi.new("const char *[2]") }, { "matrix", ffi.new("int[2][2]") },
  { "int", ffi.new("int", 3) }, { "complex", ffi.new("complex", 1, 2) }, { "void *", ffi.cast("void *", ints) },
  { "wide", ffi.new("uint64_t[2]", 1, 2) }, { "color", ffi.new("enum color[2]", 0, 5) },
  { "unknown *", ffi.cast("struct members_unknown *", ints) },
}
local values = {
  { "nil", nil }, { "true", true }, { "false", false }, { "0", 0 }, { "-1", -1 }, { "300", 300 }, { "2^40", 1 << 40 },
  { "1.0", 1.0 }, { "-2.75", -2.75 }, { "1e300", 1e300 }, { "nan", 0 / 0 }, { "GREEN", "GREEN" }, { "digits", "12" },
  { "table", { 1, 2 } }, { "named", { a = 3 } }, { "print", print }, { "int64", ffi.new("int64_t", -7) },
  { "uint64", ffi.new("uint64_t", -1) }, { "int box", ffi.new("int", -3) }, { "double box", ffi.new("double", 2.5) },
  { "enum box", ffi.new("enum color", 5) }, { "inner", inner }, { "inner *", ffi.cast("struct inner *", inner) },
  { "const inner *", ffi.cast("const struct inner *", inner) }, { "ints", ints }, { "ints *", ints + 2 },
  { "const ints *", ffi.cast("const int *", ints) }, { "void *", ffi.cast("void *", ints) },
  { "collected", ffi.gc(ints + 1, function() end) }, { "text", ffi.cast("const char *", "text") },
  { "function *", ffi.cast("int (*)(int)", ints) },
}

local function show(value)
  if type(value) ~= "userdata" then return math.type(value) or type(value), tostring(value) end
  local ct = ffi.typeof(value)
  local text = tostring(ct):gsub("struct %d+", "struct N")
  if text:find "%*" then
    local address = ffi.cast("uintptr_t", value)
    return text, address == 0 and "null" or address == ffi.cast("uintptr_t", ffi.cast("void *", ints)) and "ints" or "other"
  elseif text:find "int64" then
    return text, tostring(value)
  end
  local bytes = ffi.string(ffi.cast("const char *", ffi.addressof(value)), math.min(ffi.sizeof(value), 24))
  return text, (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local seed = 1
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end

local function try(...)
  local f, label = ...
  local ok, result = pcall(select(3, ...))
  if ok then print(f, label, show(result)) else print(f, label, "error", result) end
end

local function get(holder, key) return holder[key] end
local function set(holder, key, value) holder[key] = value end

local function round(times)
  for _ = 1, times do
    local holder, key, value = holders[random(#holders)], members[random(#members)], values[random(#values)]
    if random(3) == 1 then
      holder = holders[random(10)]
    end
    -- There is one struct where the pointers to structs point.
    if type(key) == "number" and holder[1]:find "pointer" then key = 0 end
    local label = holder[1] .. "." .. tostring(key)
    for _ = 1, random(2) do
      -- No script may read what random pointers lead to.
      if not (holder[1] == "texts" and value[1] ~= "nil") then try("get", label, get, holder[2], key) end
      try("set " .. value[1], label, set, holder[2], key, value[2])
      try("get", label, get, holder[2], key)
    end
  end
end
round(3000)
print(ffi.option("int64", "cdata"), ffi.option("enum", "cdata"), ffi.option("null", "nil"))
round(800)
print(ffi.option("int64", "number"), ffi.option("enum", "number"), ffi.option("null", "cdata"))
round(800)

-- Parts keep their owners alive, however they are reached.
local function part()
  local all = ffi.new("struct members[3]")
  all[2].inner.b = 12.5
  return all[2].inner, all[1], ffi.cast("struct members *", all)[2].table
end
local parts = { part() }
for _ = 1, 10 do
  collectgarbage()
  local fill = {}
  for i = 1, 50 do fill[i] = ffi.new("struct members[3]") end
end
print(parts[1].b, parts[2].d, parts[3][0].a)

-- Metamethods called by hand, with what Lua never passes.
local metatable = debug.getmetatable(single)
for _, event in ipairs { "__index", "__newindex" } do
  for _, arguments in ipairs { {}, { single }, { single, "i32" }, { inner, "i32" }, { ints, "i32", 1 }, { 1, "i32", 1 },
    { io.stdout, "i32", 1 }, { single, "i32", 1, 2, 3 }, { single, nil, 4 } } do
    try(event, #arguments, metatable[event], table.unpack(arguments))
  end
end
