-- Prints what making values, and ffi.string, ffi.copy and ffi.fill do, for every kind of type and argument: results, and errors
-- word for word. The output must not depend on how it is done.
local ffi = require "ffi"

ffi.cdef [[
enum color { RED, GREEN = 5, BLUE = -1 };
struct point { double x, y; };
struct mixed { bool truth; int8_t small; uint16_t middle; int64_t large; uint64_t huge; float f; enum color color; int *ints;
  const char *text; };
struct bits { int a : 3; unsigned b : 5; bool c : 1; int64_t d : 40; };
struct nested { int before; struct point inner; int list[2]; };
struct anonymous { int a; struct { int b, c; }; };
struct fixed { const int a; int b; };
struct empty {};
struct aligned { double x __attribute__((aligned(32))); int y; };
struct tail { int n; int list[?]; };
struct meta { int a, b; };
struct collected { int a; };
struct late { int a, b; };
union either { int i; double d; };
]]
ffi.metatype("struct meta", { __new = function(ct, a) return ffi.new(ct, a * 2, "none" and 7) end })
local count = 0
ffi.metatype("struct collected", { __gc = function() count = count + 1 end })

local types = {
  "int", "unsigned char", "int64_t", "uint64_t", "float", "double", "bool", "enum color", "int *", "const char *", "void *",
  "struct point", "struct mixed", "struct bits", "struct nested", "struct anonymous", "struct fixed", "struct empty",
  "struct aligned", "struct tail", "struct meta", "struct collected", "struct late", "union either", "int[3]", "char[8]",
  "double[?]", "struct point[2]", "complex", "const int", "const struct point", "struct unknown", "void", "int(*)(int)",
}
local ints, point = ffi.new("int[4]", 5, 6, 7, 8), ffi.new("struct point", 1.5, 2.5)
local values = {
  { "nil", nil }, { "true", true }, { "0", 0 }, { "3", 3 }, { "-1", -1 }, { "2^40", 1 << 40 }, { "1.0", 1.0 }, { "-2.75", -2.75 },
  { "GREEN", "GREEN" }, { "digits", "12" }, { "table", { 1, 2 } }, { "named", { a = 3, x = 4 } }, { "print", print },
  { "int64", ffi.new("int64_t", -7) }, { "int box", ffi.new("int", 3) }, { "point", point }, { "ints", ints },
  { "int *", ints + 1 }, { "const int *", ffi.cast("const int *", ints) }, { "point *", ffi.cast("struct point *", point) },
  { "text", ffi.cast("const char *", "text") }, { "NULL", ffi.cast("void *", nil) },
}

local function show(value)
  if type(value) ~= "userdata" then return math.type(value) or type(value), tostring(value) end
  local text = tostring(ffi.typeof(value))
  if text:find "%*" then return text, tostring(ffi.cast("uintptr_t", value) == 0) end
  local bytes = ffi.string(ffi.cast("const char *", ffi.addressof(value)), ffi.sizeof(value))
  -- The pointers in a struct change from run to run.
  if text:find "mixed" then bytes = bytes:sub(1, 40) end
  return text, (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local seed = 1
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end

local function try(name, label, f, ...)
  local ok, result = pcall(f, ...)
  if ok then print(name, label, show(result)) else print(name, label, "error", result) end
end

local ctypes = {}
for _, name in ipairs(types) do
  local ok, ct = pcall(ffi.typeof, name)
  ctypes[name] = ok and ct or nil
end

local function round(times)
  for _ = 1, times do
    local name = types[random(#types)]
    local arguments, labels = {}, {}
    local n = random(4) - 1
    for i = 1, n do
      local value = values[random(#values)]
      arguments[i], labels[i] = value[2], value[1]
    end
    local label = name .. "(" .. table.concat(labels, ", ") .. ")"
    for _ = 1, random(2) do
      try("new", label, ffi.new, name, table.unpack(arguments, 1, n))
      try("new ct", label, ffi.new, ctypes[name], table.unpack(arguments, 1, n))
      if ctypes[name] then try("call", label, ctypes[name], table.unpack(arguments, 1, n)) end
    end
  end
end
round(1500)
ffi.metatype("struct late", { __new = function(ct) return ffi.new(ct, 41, 42) end })
round(700)
collectgarbage()
collectgarbage()
print("collected", count > 20)

local function memory()
  return {
    { "char[16]", ffi.new("char[16]", "sixteen") }, { "const char[4]", ffi.new("const char[4]", "abc") },
    { "full", ffi.new("char[4]", "abcd") }, { "uint8_t[16]", ffi.new("uint8_t[16]", 65) }, { "ints", ffi.new("int[4]", 66) },
    { "char *", ffi.cast("char *", ffi.gc(ffi.new("char[16]", "pointer"), nil)) }, { "point", ffi.new("struct point") },
    { "const point", ffi.new("const struct point") }, { "char[?]", ffi.new("char[?]", 16, "variable") },
    { "text", ffi.cast("const char *", "static text here") }, { "NULL", ffi.cast("char *", nil) }, { "nil", nil },
    { "string", "a Lua string, long" }, { "number", 5 }, { "table", {} }, { "int box", ffi.new("int", 3) },
    { "void *", ffi.cast("void *", ints) }, { "const void *", ffi.cast("const void *", ints) },
    { "volatile", ffi.new("volatile int[4]", 66) }, { "function *", ffi.cast("void (*)(void)", nil) },
  }
end
local all = memory()
local lengths = { { "0", 0 }, { "3", 3 }, { "4", 4 }, { "3.0", 3.0 }, { "-1", -1 }, { "x", "x" }, { "nil", nil },
  { "int64", ffi.new("int64_t", 2) }, { "huge", math.maxinteger }, { "true", true } }
-- No length that an object does not have, unless it is refused before the memory is touched.
local function may(length) return length ~= math.maxinteger end
for _ = 1, 2000 do
  if random(200) == 1 then all = memory() end
  local a, b, length, byte = all[random(#all)], all[random(#all)], lengths[random(#lengths)], lengths[random(#lengths)]
  for _ = 1, random(2) do
    if may(length[2]) then
      try("string", a[1] .. " " .. length[1], ffi.string, a[2], length[2])
      try("copy", a[1] .. " " .. b[1] .. " " .. length[1], ffi.copy, a[2], b[2], length[2])
      try("fill", a[1] .. " " .. length[1] .. " " .. byte[1], ffi.fill, a[2], length[2], byte[2])
      try("fill", a[1] .. " " .. length[1], ffi.fill, a[2], length[2])
    end
    -- Text has an end in these only.
    if not a[1]:find "void" and not a[1]:find "point" then try("string", a[1], ffi.string, a[2]) end
    if a[1]:find "16%]$" then
      -- Text that the size of the array ends, or a zero byte in it.
      for _, text in ipairs { "a\0b", "", "fifteen letters" } do
        try("copy", a[1] .. " " .. #text, ffi.copy, a[2], text)
        try("string", a[1] .. " " .. #text, ffi.string, a[2])
      end
      try("copy", a[1] .. " all", ffi.copy, a[2], "sixteen letters!", 16)
      try("string", a[1] .. " all", ffi.string, a[2])
    end
    if a[1] == "char[16]" and b[1] ~= "string" then try("copy", a[1] .. " " .. b[1], ffi.copy, a[2], b[2]) end
    if a[2] and type(a[2]) == "userdata" and not a[1]:find "%*" and a[1] ~= "NULL" and a[1] ~= "text" then
      print("left", a[1], show(a[2]))
    end
  end
end
for _, f in ipairs { "new", "string", "copy", "fill" } do
  try(f, "nothing", ffi[f])
  try(f, "four", ffi[f], ints, ints, 4, 5, 6)
end
