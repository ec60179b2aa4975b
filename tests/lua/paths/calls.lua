-- Prints what each call does, for every way that an argument converts and every kind of value: results, and errors word for
-- word. The output must not depend on how the calls are made.
local ffi = require "ffi"
local lib = ffi.load(arg[1])

ffi.cdef [[
struct point { double x, y; };
struct pair { int a, b; };
struct large { int64_t n[5]; };
struct one { char c; };
enum color { RED, GREEN = 5, BLUE = -1 };
union either { int i; double d; };
struct unknown;
void nothing(void);
int number_of(void);
]]

local types = {
  { "bool", "bool" }, { "char", "char" }, { "int8", "int8_t" }, { "uint8", "uint8_t" }, { "int16", "int16_t" },
  { "uint16", "uint16_t" }, { "int32", "int32_t" }, { "uint32", "uint32_t" }, { "int64", "int64_t" },
  { "uint64", "uint64_t" }, { "float", "float" }, { "double", "double" }, { "color", "enum color" },
  { "chars", "char *" }, { "text", "const char *" }, { "memory", "void *" }, { "constant_memory", "const void *" },
  { "ints", "int *" }, { "constant_ints", "const int *" }, { "wides", "int64_t *" },
  { "point_pointer", "struct point *" }, { "constant_point", "const struct point *" }, { "pair_pointer", "struct pair *" },
  { "texts", "const char **" }, { "point", "struct point" }, { "pair", "struct pair" }, { "large", "struct large" },
  { "one", "struct one" }, { "either", "union either" },
}
for _, t in ipairs(types) do
  ffi.cdef(("%s same_%s(%s x); %s last_%s(int a, double b, const char *s, %s x);"):format(t[2], t[1], t[2], t[2], t[1], t[2]))
end

local point, ints = ffi.new("struct point", 1.5, -2.5), ffi.new("int[4]", 1, 2, 3, 4)
local holder = ffi.new("struct { struct point inner; int list[3]; }")
local function values()
  return {
    { "nil", nil }, { "true", true }, { "false", false }, { "0", 0 }, { "-1", -1 }, { "300", 300 }, { "2^40", 1 << 40 },
    { "min", math.mininteger }, { "1.0", 1.0 }, { "-2.75", -2.75 }, { "1e300", 1e300 }, { "-1e19", -1e19 }, { "nan", 0 / 0 },
    { "inf", 1 / 0 }, { "empty", "" }, { "short", "GREEN" }, { "digits", "12" }, { "long", ("long "):rep(40) },
    { "table", {} }, { "filled", { 3, 4 } }, { "named", { x = 7, a = 8, i = 9, c = 10 } }, { "function", print },
    { "closure", function() end }, { "thread", coroutine.create(print) }, { "file", io.stdout }, { "ctype", ffi.typeof "int" },
    { "C function", lib.nothing }, { "library", lib },
    { "int64", ffi.new("int64_t", -7) }, { "uint64", ffi.new("uint64_t", -1) }, { "const int64", ffi.new("const int64_t", 9) },
    { "int32", ffi.new("int", -3) }, { "boxed bool", ffi.new("bool", true) }, { "boxed double", ffi.new("double", 2.5) },
    { "boxed float", ffi.new("float", 0.5) }, { "boxed enum", ffi.new("enum color", 5) },
    { "point", point }, { "const point", ffi.new("const struct point", 3, 4) }, { "pair", ffi.new("struct pair", 5, 6) },
    { "large", ffi.new("struct large", { { 1, 2, 3, 4, 5 } }) }, { "one", ffi.new("struct one", 65) },
    { "either", ffi.new("union either", 77) }, { "inner", holder.inner }, { "list", holder.list },
    { "point *", ffi.cast("struct point *", point) }, { "const point *", ffi.cast("const struct point *", point) },
    { "NULL point *", ffi.cast("struct point *", nil) }, { "void *", ffi.cast("void *", ints) },
    { "const void *", ffi.cast("const void *", ints) }, { "int[4]", ints }, { "const int[2]", ffi.new("const int[2]", 8, 9) },
    { "int *", ints + 1 }, { "unsigned *", ffi.cast("unsigned *", ints) }, { "int64[1]", ffi.new("int64_t[1]", 3) },
    { "char[8]", ffi.new("char[8]", "chars") }, { "const char *", ffi.cast("const char *", "text") },
    { "char[?]", ffi.new("char[?]", 5, "abcd") }, { "collected int *", ffi.gc(ints + 2, function() end) },
    { "collected point", ffi.gc(ffi.new("struct point", 5, 6), function() end) },
    { "unknown *", ffi.cast("struct unknown *", ints) }, { "texts", ffi.new("const char *[2]", { "a", "b" }) },
    { "complex", ffi.new("complex", 1, 2) }, { "function *", ffi.cast("void (*)(void)", ints) },
    { "double *", ffi.cast("double *", point) },
  }
end

local function address(value)
  local ok, n = pcall(ffi.cast, "uintptr_t", value)
  return ok and tostring(n)
end

-- A result as text. An address is compared to the argument's instead of printed.
local function show(result, argument)
  if type(result) ~= "userdata" then return math.type(result) or type(result), tostring(result) end
  local ct = tostring(ffi.typeof(result))
  if ct:find "%*" then
    return ct, ffi.cast("uintptr_t", result) == 0 and "null" or (address(result) == address(argument) and "same" or "other")
  elseif ct:find "int64" then
    return ct, tostring(result)
  end
  return ct, (ffi.string(ffi.cast("const char *", result), ffi.sizeof(result)):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

-- The same order in every run, so that what an earlier call taught a thunk is there for later ones.
local seed = 1
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end

local function try(name, f, label, argument, ...)
  local ok, result = pcall(f, ...)
  if ok then print(name, label, show(result, argument)) else print(name, label, "error", result) end
end

for _, t in ipairs(types) do
  local same, last = lib["same_" .. t[1]], lib["last_" .. t[1]]
  local all = values()
  for _ = 1, 4 * #all do
    local v = all[random(#all)]
    for _ = 1, random(3) do try("same_" .. t[1], same, v[1], v[2], v[2]) end
    try("last_" .. t[1], last, v[1], v[2], 1, 2, "three", v[2])
  end
  try("same_" .. t[1], same, "none", nil)
  try("same_" .. t[1], same, "two", nil, 1, 2)
  try("last_" .. t[1], last, "missing", nil, 1, 2)
  try("last_" .. t[1], last, "first wrong", nil, {}, 2, "", all[1][2])
  try("last_" .. t[1], last, "third wrong", nil, 1, 2, 3, all[1][2])
end
try("nothing", lib.nothing, "none", nil)
try("nothing", lib.nothing, "one", nil, 1)
try("number_of", lib.number_of, "none", nil)
try("number_of", lib.number_of, "one", nil, nil)

-- Variable arguments, of changing types and numbers.
ffi.cdef "int snprintf(char *buffer, size_t size, const char *format, ...);"
local buffer = ffi.new("char[256]")
local function format(...)
  local n = ffi.C.snprintf(buffer, 256, ...)
  return n .. ffi.string(buffer)
end
local formats = {
  ["0"] = "%lld", ["2^40"] = "%lld", ["-2.75"] = "%g", ["1e300"] = "%g", short = "%s", long = "%s", ["true"] = "%d",
  int64 = "%lld", uint64 = "%llu", ["const int64"] = "%lld", int32 = "%d", ["boxed bool"] = "%d", ["boxed double"] = "%g",
  ["boxed float"] = "%g", ["boxed enum"] = "%d", ["char[8]"] = "%s", ["const char *"] = "%s", ["char[?]"] = "%s",
}
local all = values()
for _ = 1, 2000 do
  local v, w = all[random(#all)], all[random(#all)]
  try("ignored", format, v[1], nil, "nothing", v[2])
  if formats[v[1]] then
    for _ = 1, random(5) do try("one", format, v[1], nil, formats[v[1]], v[2]) end
  end
  if formats[v[1]] and formats[w[1]] then
    try("two", format, v[1] .. w[1], nil, formats[v[1]] .. " " .. formats[w[1]], v[2], w[2])
    try("many", format, v[1] .. w[1], nil, ("%d %g "):rep(6) .. formats[v[1]] .. formats[w[1]], true, 1.5, true, 2.5, true, 3.5,
      true, 4.5, true, 5.5, true, 6.5, v[2], w[2])
  end
end
try("none", format, "none", nil)
try("none", format, "no format", nil, {})

-- The same types many times, as Lua values and as cdata in turn, with others in between; and more than a thunk looks at.
local groups = {
  { "%d", "true", "int32", "boxed bool", "boxed enum" }, { "%lld", "0", "2^40", "int64", "const int64" },
  { "%s", "short", "long", "char[8]", "const char *", "char[?]" }, { "%g", "-2.75", "1e300", "boxed double", "boxed float" },
}
local by_name = {}
for _, v in ipairs(all) do by_name[v[1]] = v[2] end
for _ = 1, 500 do
  local first, second = groups[random(#groups)], groups[random(#groups)]
  local text = first[1] .. " " .. second[1]
  for _ = 1, random(12) do
    local v, w = first[1 + random(#first - 1)], second[1 + random(#second - 1)]
    try("pair", format, v .. w, nil, text, by_name[v], by_name[w])
    if random(20) == 1 then try("other", format, v, nil, first[1], by_name[v]) end
  end
  local long = first[1]:rep(9, " ")
  local v = by_name[first[1 + random(#first - 1)]]
  for _ = 1, random(4) do try("nine", format, first[1], nil, long, v, v, v, v, v, v, v, v, v) end
end

-- A coroutine has a stack of its own; a deep one was moved.
local function deep(n, f, ...)
  if n == 0 then return f(...) end
  return (deep(n - 1, f, ...))
end
print(coroutine.wrap(function() return deep(3000, lib.same_int32, 12) end)())
print(deep(3000, lib.last_double, 1, 2, "", 1.25))
