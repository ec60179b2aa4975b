-- Random operations on random values of random types: `local successes = chunk(seed, cases)`, or
-- `cthunk run operations.lua SEED CASES`. Only memory that is ours is read and written: random pointers are made, compared and
-- printed, but not followed; those that are followed lead into blocks whose bounds are known here.
local ffi = require "ffi"
local seed, cases = ...
seed, cases = tonumber(seed), tonumber(cases)
math.randomseed(seed)
local random = math.random

-- 32-bit targets have no 128-bit integers.
ffi.cdef(("typedef %s rnd_wide;"):format(ffi.abi "64bit" and "__int128" or "long long"))
ffi.cdef [[
  struct rnd_p { int x, y; };
  struct rnd_q { double d; struct rnd_p p[2]; const char *s; struct rnd_q *next; };
  union rnd_u { int i; float f; struct rnd_p p; long double ld; };
  enum rnd_e { RND_A, RND_B = 5, RND_C = 300 };
  struct rnd_b { int a : 3; unsigned b : 5; bool c : 1; uint64_t w : 60; };
  struct rnd_v { int n; short v[?]; };
  struct rnd_f { int n; char data[]; };
  struct rnd_o;
  typedef int rnd_aligned __attribute__((aligned(64)));
  struct __attribute__((packed)) rnd_k { char c; double d; rnd_wide big; };
  int strcmp(const char *, const char *);
  size_t strlen(const char *);
  int abs(int);
  double fabs(double);
  int toupper(int);
  int memcmp(const void *, const void *, size_t);
  void *memcpy(void *, const void *, size_t);
  void *memset(void *, int, size_t);
  long strtol(const char *, char **, int);
  int snprintf(char *, size_t, const char *, ...);
  void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
  typedef struct { int quot, rem; } rnd_div;
  rnd_div div(int, int);
  extern int optind;
  static const int RND_K = 4;
]]

ffi.metatype("struct rnd_p", {
  __index = { area = function(self) return self.x * self.y end },
  __newindex = function() end,
  __new = function(ct, ...) return ffi.new(ct, ...) end,
  __gc = function(self) self.x = 1 end,
  __add = function(a) return a end,
  __len = function() return 3 end,
  __call = function(_, ...) return ... end,
  __tostring = function() return "point" end,
  __eq = function() return true end,
  __lt = function() return false end,
  __le = function() return true end,
  __concat = function() return "concatenated" end,
  __close = function() end,
  __pairs = function() return next, {}, nil end,
})

local type_texts = {
  "int", "unsigned", "short", "char", "uint8_t", "bool", "float", "double", "int64_t", "uint64_t", "enum rnd_e",
  "complex", "complex float", "long double", "__int128", "unsigned __int128", "rnd_aligned", "int *", "const int *",
  "void *", "const char *", "struct rnd_p *", "struct rnd_q *", "int **", "int (*)[3]", "int (*)(int)",
  "struct rnd_o *", "int[3]", "char[8]", "struct rnd_p", "struct rnd_q", "union rnd_u", "struct rnd_p[2]",
  "int[2][3]", "struct rnd_b", "int[?]", "struct rnd_v", "struct rnd_f", "struct rnd_k", "const int[2]", "int[]",
  "void", "struct rnd_o", "int(int)", "int &", "int __attribute__((vector_size(16)))", "struct { int a; }", "$",
  "int[$]", "int[", "enum rnd_e[3]", "int[100000000000]", "int[?][4]", "struct rnd_v[2]", "char[0]",
  "struct rnd_p[0]", "complex *", "volatile int", "int *const", "no_such_type", "",
}
local names = {
  "x", "y", "d", "p", "s", "a", "b", "c", "w", "i", "f", "n", "v", "ld", "big", "next", "data", "re", "im", "area",
  "free", "set", "no_such_member",
}
local strings = { "", "RND_A", "RND_B", "x", "hello world, a longer string", "int" }
local numbers = { 0 / 0, 1 / 0, -1 / 0, math.maxinteger or 2 ^ 62, math.mininteger or -2 ^ 63, 2 ^ 63, 2 ^ 64, -0.0, 0.5 }

local function pick(list) return list[random(#list)] end

-- Nil where the text is none of the running Lua's.
local function compile(text)
  local known, f = pcall(loadstring or load, text)
  return known and f or nil
end
-- Every operator that the running Lua has.
local operators = {}
for _, text in ipairs {
  "a + b", "a - b", "a * b", "a / b", "a % b", "a ^ b", "-a", "a // b", "a & b", "a | b", "a ~ b", "a << b", "a >> b", "~a",
  "a == b", "a < b", "a <= b", "a .. b", "#a",
} do
  operators[#operators + 1] = compile("local a, b = ... return " .. text)
end
local close = compile "local v = ... local c <close> = v"

local ctypes, pool, depth, successes = {}, {}, 0, 0
for _, text in ipairs(type_texts) do
  local ok, ct = pcall(ffi.typeof, text)
  if ok then ctypes[#ctypes + 1] = ct end
end
local others = { print, function() end, io and io.stdout or {}, coroutine.create(function() end), ffi.C, ffi.C.strcmp, ffi.NULL, ctypes }

local function value()
  local kind = random(16)
  if kind == 1 then return random(-10, 10) end
  if kind == 2 then return random() * 1e10 - 5e9 end
  if kind == 3 then return pick(numbers) end
  if kind == 4 then return pick(strings) end
  if kind == 5 then return nil end
  if kind == 6 then return random(2) == 1 end
  if kind == 7 then return pick(ctypes) end
  if kind == 8 then return pick(others) end
  if kind <= 10 then
    local t = {}
    if depth < 4 then
      depth = depth + 1
      for i = 0, random(0, 5) do t[i] = value() end
      if random(2) == 1 then t[pick(names)] = value() end
      depth = depth - 1
    end
    return t
  end
  return #pool > 0 and pick(pool) or 1
end

local function ctype()
  local kind = random(12)
  return kind == 1 and value() or kind <= 4 and pick(type_texts) or pick(ctypes)
end

-- A number of elements that memory has room for.
local function count()
  local n = value()
  local number = type(n) == "number" and n or ffi.tonumber(n)
  return number and number > 1000 and 7 or n
end

local function try(f, ...)
  local ok, result = pcall(f, ...)
  if ok then
    successes = successes + 1
    if result ~= nil then
      if #pool > 60 then table.remove(pool, random(#pool)) end
      pool[#pool + 1] = result
    end
  end
end

-- Whether indexing stays in memory that belongs to the value.
local function is_ours(v)
  local ok, ct = pcall(ffi.typeof, v)
  return not (ok and tostring(ct):find("*", 1, true))
end

-- A number cast to a reference would be read at once.
local function is_reference(ct)
  local ok, text = pcall(ffi.typeof, ct)
  return ok and tostring(text):find("&", 1, true)
end

local function size(v)
  local ok, bytes = pcall(ffi.sizeof, v)
  return ok and type(v) == "userdata" and is_ours(v) and bytes or 0
end

-- Blocks of our own, with their sizes, and pointers into them that may be followed.
local blocks = {}
for i = 1, 8 do
  local bytes = 16 * 2 ^ (i % 4)
  blocks[i] = { memory = ffi.new("uint8_t[?]", bytes), bytes = bytes }
end
local elements = {}
for _, text in ipairs {
  "int8_t", "uint8_t", "int16_t", "uint16_t", "int", "unsigned", "int64_t", "uint64_t", "float", "double", "bool", "enum rnd_e",
  "struct rnd_p", "union rnd_u", "complex", "struct rnd_b", "int[2]", "rnd_wide", "struct rnd_k", "const int",
} do
  elements[#elements + 1] = { ct = ffi.typeof(text), pointer = ffi.typeof("$ *", ffi.typeof(text)), bytes = ffi.sizeof(text) }
end

-- A pointer into a block, the number of elements from there to its end, and what an element is.
local function inside()
  local block, element = pick(blocks), pick(elements)
  local count = math.floor(block.bytes / element.bytes)
  if count == 0 then return inside() end
  local at = random(0, count - 1)
  return ffi.cast(element.pointer, block.memory) + at, count - at, element, block
end

-- Functions that C may call, and the types that they are called through.
local callback_types = {
  "int (*)(int)", "double (*)(double, float)", "void (*)(void)", "int64_t (*)(int8_t, uint64_t)", "bool (*)(bool)",
  "const char *(*)(const char *)", "struct rnd_p (*)(struct rnd_p)", "long double (*)(long double)", "int (*)(int, ...)",
  "enum rnd_e (*)(enum rnd_e)", "complex (*)(complex)", "union rnd_u (*)(int, union rnd_u, double)", "int (*)(int (*)(int))",
}
local bodies = {
  function(...) return ... end, function() return 1 end, function() error("inside", 0) end, function() return {} end,
  function() coroutine.yield() end, function() return "RND_B" end, function() collectgarbage() return 0 end,
}
local callbacks = {}

local formats = { "%d", "%5d", "%u", "%x", "%g", "%.3f", "%e", "%s", "%10s", "%p", "%c", "%lld", "%llu", "%%" }
local output = ffi.new "char[256]"
-- An int for `...`: what is no Lua integer would be passed as a double.
local function integer(n) return math.type and n or ffi.new("int", n) end
local function formatted()
  local format, arguments = {}, {}
  for i = 1, random(0, 12) do
    local one = pick(formats)
    format[i] = one
    local letter = one:sub(-1)
    if letter == "s" then
      arguments[#arguments + 1] = pick(strings)
    elseif letter == "p" then
      arguments[#arguments + 1] = inside()
    elseif letter == "g" or letter == "f" or letter == "e" then
      arguments[#arguments + 1] = pick { 0.5, ffi.new("double", 1.5), ffi.new("float", 2.5) }
    elseif one:find "ll" then
      arguments[#arguments + 1] = pick { ffi.new("int64_t", random(1000)), ffi.new("uint64_t", 5) }
    elseif letter ~= "%" then
      arguments[#arguments + 1] = pick { integer(random(100)), true, ffi.new("int8_t", -5), ffi.new("enum rnd_e", 5), ffi.new("int", 7) }
    end
  end
  try(ffi.C.snprintf, output, 256, table.concat(format, " "), (unpack or table.unpack)(arguments))
end

local function sorted()
  local numbers = ffi.new("int[20]")
  for i = 0, 19 do numbers[i] = random(-100, 100) end
  local fails_at, calls = random(200), 0
  local compare = function(a, b)
    calls = calls + 1
    if calls == fails_at then error({ "compare" }) end
    return ffi.cast("const int *", a)[0] - ffi.cast("const int *", b)[0]
  end
  local callback = ffi.cast("int (*)(const void *, const void *)", compare)
  try(ffi.C.qsort, numbers, 20, 4, callback)
  callback:free()
end

local metamethods = {
  "__index", "__newindex", "__call", "__add", "__unm", "__len", "__eq", "__lt", "__concat", "__tostring", "__gc", "__close",
  "__pairs", "__new", "__idiv", "__band", "__shl", "__mode", "__name",
}
local function metatype()
  local mt = {}
  for _ = 1, random(0, 6) do
    mt[pick(metamethods)] = pick { function(...) return ... end, function() error "method" end, {}, { x = 1 }, ffi.C, 5 }
  end
  try(function()
    local ct = ffi.metatype(ffi.typeof("struct { int n; $ v; }", pick(elements).ct), mt)
    return ct(random(10))
  end)
end

local function parameterized()
  local ct, n = pick(ctypes), random(0, 8)
  try(ffi.typeof, pick { "$[$]", "struct { $ a; int b : $; }", "$ (*)[$]", "union { $ a; char b[$]; }", "struct { char c; $ a[$]; }" }, ct, n)
  try(ffi.typeof, pick { "$ *", "const $", "$ &", "$ (*)(void)", "void (*)($)", "$[?]", "struct { $ a; }" }, ct)
  try(ffi.typeof, "struct { int $; double $; }", pick(names), pick(names))
  try(ffi.new, ffi.typeof("struct { $ a; $ b; }", pick(elements).ct, pick(elements).ct), value(), value())
end

local operations = {
  function() try(ffi.new, ctype()) end,
  function() try(ffi.new, ctype(), count()) end,
  function() try(ffi.new, ctype(), count(), value(), value()) end,
  function()
    local ct = ctype()
    if not is_reference(ct) then try(ffi.cast, ct, value()) end
  end,
  function() try(ffi.typeof, ctype()) end,
  function() try(ffi.typeof, ctype(), count()) end,
  function() try(ffi.sizeof, ctype(), count()) try(ffi.alignof, ctype()) end,
  function() try(ffi.offsetof, ctype(), pick(names)) end,
  function() try(ffi.istype, ctype(), value()) end,
  function() try(ffi.gc, value(), pick { tostring, function() end, false, 5 }) end,
  function() try(ffi.gc, value(), nil) end,
  function() try(ffi.addressof, value()) end,
  function() try(ffi.tonumber, value()) try(ffi.type, value()) try(ffi.toretval, value()) end,
  function() try(tostring, value()) end,
  function()
    local v, k = value(), pick(names)
    if is_ours(v) then try(function() return v[k] end) end
  end,
  function()
    local v, k, new = value(), pick(names), value()
    if is_ours(v) then try(function() v[k] = new end) end
  end,
  function()
    local v, new = value(), value()
    if size(v) > 0 then try(function() return v[0] end) try(function() v[0] = new end) end
  end,
  function()
    local v = value()
    local most = math.min(size(v), 2 ^ 30) -- Luau's random has 32 bits
    if most > 0 then try(ffi.string, v, random(0, most)) try(ffi.fill, v, random(0, most), value()) end
  end,
  function()
    local a, b = value(), value()
    for _ = 1, 6 do try(pick(operators), a, b) end
  end,
  function()
    local f = value()
    -- A ctype makes a value of so many elements.
    if type(f) == "userdata" and is_ours(f) then try(f, count(), value()) end
  end,
  function() try(function() for _ in pairs(value()) do break end end) end,
  function()
    local v = value()
    if close and type(v) == "userdata" then try(close, v) end
  end,
  function() try(ffi.metatype, ctype(), value()) end,
  function() try(ffi.cdef, pick { "int rnd_f1(void);", "struct rnd_x { int a; };", "struct rnd_x { char b; };", "junk", "" }) end,
  function() try(function() return ffi.C[value()] end) end,
  function() try(function() ffi.C[pick { "optind", "RND_K", "nope", "strcmp" }] = value() end) end,
  function() try(ffi.errno, value()) try(ffi.abi, value()) end,
  function() try(ffi.copy, ffi.new("char[64]"), ("x"):rep(random(0, 63))) end,
  function() if random(50) == 1 then collectgarbage() end end,
  function() if random(200) == 1 then pool = {} end end,
  function() -- through a pointer that leads into a block
    local p, count, element = inside()
    local i, new = random(0, count - 1), value()
    try(function() return p[i] end)
    try(function() p[i] = new end)
    try(function() p[i] = element.ct() end)
    try(function() return p[i][pick(names)] end)
    try(function() return p[pick(names)] end)
    try(function() p[pick(names)] = new end)
    try(ffi.cast, pick(elements).pointer, p)
    try(ffi.addressof, p)
    try(function() return p + i - p end)
    try(function() return p < p + i, p == p + i end)
  end,
  function() -- copies, fills and texts within blocks
    local p, _, _, block = inside()
    local rest = block.bytes - (ffi.cast("uint8_t *", p) - block.memory)
    local q, _, _, other = inside()
    local room = other.bytes - (ffi.cast("uint8_t *", q) - other.memory)
    local n = random(0, math.min(rest, room))
    try(ffi.fill, p, random(0, rest), value())
    if block ~= other then try(ffi.copy, p, q, n) end
    try(ffi.C.memcmp, p, q, n)
    try(ffi.C.memset, ffi.cast("void *", block.memory), random(0, 255), random(0, block.bytes))
    try(ffi.string, p, random(0, rest))
    local text = pick(strings)
    if #text < rest then try(ffi.copy, ffi.cast("uint8_t *", p), text) end
  end,
  function()
    try(ffi.C.strlen, pick(strings)) try(ffi.C.abs, value()) try(ffi.C.fabs, value()) try(ffi.C.toupper, value())
    try(ffi.C.div, random(100), random(9)) try(ffi.C.strcmp, pick(strings), pick(strings))
    try(ffi.C.strtol, pick(strings), nil, 10) try(ffi.C.abs) try(ffi.C.abs, 1, value())
  end,
  formatted,
  sorted,
  function()
    local ok, callback = pcall(ffi.cast, pick(callback_types), pick(bodies))
    if ok then
      successes = successes + 1
      callbacks[#callbacks + 1] = callback
      for _ = 1, random(3) do try(callback, value(), value(), value()) end
    end
  end,
  function()
    if #callbacks == 0 then return end
    local callback = table.remove(callbacks, random(#callbacks))
    try(function() callback:set(pick(bodies)) end)
    try(callback, value())
    try(function() callback:free() end)
    try(callback, value())
    try(function() callback:free() end)
    try(function() callback:set(print) end)
  end,
  function() if random(10) == 1 then metatype() end end,
  function() if random(5) == 1 then parameterized() end end,
  function()
    local o = value()
    try(ffi.gc, o, pick {
      function(x) pool[#pool + 1] = x end, function() error "finaliser" end, function() return ffi.new "int[10]" end, ffi.C.abs,
    })
  end,
  function()
    local co = coroutine.create(function() return ffi.new(ctype(), count(), value()) end)
    try(coroutine.resume, co)
    try(coroutine.wrap(function(x) return coroutine.yield(x) end), value())
  end,
  function() if ffi.fields then try(ffi.fields, ctype()) try(ffi.info, ctype()) end end,
  function() if ffi.eval then try(ffi.eval, pick { "1 + 2", "sizeof(int)", "RND_B", "junk(", "1 / 0", "" }) end end,
  function() if ffi.scope and random(20) == 1 then try(function() ffi.scope().cdef(pick { "struct rnd_p { char other; };", "int x;", "junk" }) end) end end,
}

for _ = 1, cases do pick(operations)() end
for _, callback in ipairs(callbacks) do callback:free() end
return successes
