-- Prints what callbacks get and what their results become, for every kind of parameter and value: also errors, word for word, and
-- what happens when they are set, freed and nested. The output must not depend on how it is done.
local ffi = require "ffi"
local lib = ffi.load(arg[1])

ffi.cdef [[
struct point { double x, y; };
struct pair { int a, b; };
enum color { RED, GREEN = 5, BLUE = -1 };
]]
local types = {
  { "bool", "bool" }, { "char", "char" }, { "int8", "int8_t" }, { "uint8", "uint8_t" }, { "int16", "int16_t" },
  { "uint16", "uint16_t" }, { "int32", "int32_t" }, { "uint32", "uint32_t" }, { "int64", "int64_t" },
  { "uint64", "uint64_t" }, { "float", "float" }, { "double", "double" }, { "color", "enum color" },
  { "chars", "char *" }, { "text", "const char *" }, { "memory", "void *" }, { "ints", "int *" },
  { "point_pointer", "struct point *" }, { "point", "struct point" },
}
for _, t in ipairs(types) do
  ffi.cdef(([[
    %s through_%s(%s (*f)(%s), %s x);
    int seen_%s(int (*f)(int, %s, double), %s x);
  ]]):format(t[2], t[1], t[2], t[2], t[2], t[1], t[2], t[2]))
end

local ints, point = ffi.new("int[4]", 5, 6, 7, 8), ffi.new("struct point", 1.5, 2.5)
local arguments = {
  bool = { true, false }, float = { 1.5, -0.25 }, double = { 1e300, 3 }, chars = { ffi.new("char[4]", "abc") },
  text = { "hello", ffi.cast("const char *", "text") }, memory = { ints, ffi.cast("void *", nil) },
  ints = { ints, ints + 1 }, point_pointer = { point, ffi.cast("struct point *", nil) }, point = { point },
  uint64 = { -1, 1 << 40 }, int64 = { math.mininteger, 5 }, uint32 = { 4294967295, 1 },
}
local results = {
  { "nil", nil }, { "true", true }, { "3", 3 }, { "-1", -1 }, { "2^40", 1 << 40 }, { "2.75", 2.75 }, { "1e300", 1e300 },
  { "GREEN", "GREEN" }, { "table", { 1, 2 } }, { "int64", ffi.new("int64_t", -7) }, { "int box", ffi.new("int", 3) },
  { "ints", ints }, { "int *", ints + 1 }, { "const int *", ffi.cast("const int *", ints) }, { "point", point },
  { "point *", ffi.cast("struct point *", point) }, { "text", ffi.cast("const char *", "text") }, { "error" }, { "same" },
}

local function show(value)
  if type(value) ~= "userdata" then return math.type(value) or type(value), tostring(value) end
  local text = tostring(ffi.typeof(value))
  if text:find "%*" then
    local address = ffi.cast("uintptr_t", value)
    local at = "other"
    for name, known in pairs { null = 0, ints = ffi.cast("uintptr_t", ints), point = ffi.cast("uintptr_t", ffi.cast("void *", point)) } do
      if address == known then at = name end
    end
    return text, at
  end
  local bytes = ffi.string(ffi.cast("const char *", ffi.addressof(value)), ffi.sizeof(value))
  return text, (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function try(name, label, f, ...)
  local ok, result = pcall(f, ...)
  if ok then print(name, label, show(result)) else print(name, label, "error", (tostring(result):gsub("0x%x+", "address"))) end
end

local function round()
  for _, t in ipairs(types) do
    local through, seen = lib["through_" .. t[1]], lib["seen_" .. t[1]]
    for _, argument in ipairs(arguments[t[1]] or { 0, 1, -1, 100 }) do
      for _, result in ipairs(results) do
        local function f(x, ...)
          print("got", t[1], select("#", ...), show(x))
          if result[1] == "error" then error "on purpose" end
          if result[1] == "same" then return x end
          return result[2]
        end
        for _ = 1, 2 do try("through", t[1] .. " " .. result[1], through, f, argument) end
        local made, cb = pcall(ffi.cast, t[2] .. "(*)(" .. t[2] .. ")", f)
        if made then
          try("made", t[1] .. " " .. result[1], through, cb, argument)
          cb:set(function(x) return x end)
          try("set", t[1] .. " " .. result[1], through, cb, argument)
          cb:free()
          try("freed", t[1], through, cb, argument)
        else
          print("made", t[1], cb)
        end
        try("seen", t[1] .. " " .. result[1], seen, function(a, x, b)
          print("three", a, b, show(x))
          return result[2]
        end, argument)
      end
    end
  end
end
round()
print(ffi.option("int64", "cdata"), ffi.option("enum", "cdata"), ffi.option("null", "nil"))
round()
print(ffi.option("int64", "number"), ffi.option("enum", "number"), ffi.option("null", "cdata"))

-- Nested, in coroutines, with deep stacks, with errors from below, and freed while they run.
local through = lib.through_int32
local function nest(n)
  return n == 0 and 1 or through(function(x) return x + nest(n - 1) end, n)
end
print(nest(20))
print(coroutine.wrap(function() return nest(10) end)())
print(coroutine.wrap(function() return pcall(through, function(x) return coroutine.yield(x) end, 3) end)())
local function deep(n) return n == 0 and 0 or 1 + deep(n - 1) end
print(through(function(x) return deep(5000) + x end, 4))
try("nested error", 1, through, function(x) return through(function() error { x } end, x) end, 5)
try("caught", 1, through, function(x) return pcall(through, function() error "inner" end, x) and 1 or 2 end, 5)
local same = ffi.typeof "int32_t (*)(int32_t)"
local cb
cb = ffi.cast(same, function(x)
  cb:free()
  local others = {}
  for i = 1, 600 do others[i] = ffi.cast(same, function() return i end) end
  for i = 1, 600 do others[i]:free() end
  collectgarbage()
  return x + 1
end)
print(through(cb, 41))
try("freed", 1, through, cb, 1)
local text
try("errno", 1, through, function(x) text = ffi.errno(x) return ffi.errno() end, 33)
print(ffi.errno())
