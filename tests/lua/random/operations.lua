-- Random operations on random values of random types. `local successes = chunk(seed, cases)`.
-- Only memory that is ours is read and written: pointers are made, compared and printed, but not followed.
local ffi = require "ffi"
local seed, cases = ...
math.randomseed(seed)
local random = math.random

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
  struct __attribute__((packed)) rnd_k { char c; double d; __int128 big; };
  int strcmp(const char *, const char *);
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
local numbers = { 0 / 0, 1 / 0, -1 / 0, math.maxinteger, math.mininteger, 2 ^ 63, 2 ^ 64, -0.0, 0.5 }

local function pick(list) return list[random(#list)] end

local ctypes, pool, depth, successes = {}, {}, 0, 0
for _, text in ipairs(type_texts) do
  local ok, ct = pcall(ffi.typeof, text)
  if ok then ctypes[#ctypes + 1] = ct end
end
local others = { print, function() end, io.stdout, coroutine.create(print), ffi.C, ffi.C.strcmp, ffi.NULL, ctypes }

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

local operations = {
  function() try(ffi.new, ctype()) end,
  function() try(ffi.new, ctype(), count()) end,
  function() try(ffi.new, ctype(), count(), value(), value()) end,
  function()
    local ct = ctype()
    if not is_reference(ct) then try(ffi.cast, ct, value()) end
  end,
  function() try(ffi.typeof, ctype()) end,
  function() try(ffi.typeof, ctype(), value()) end,
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
    if size(v) > 0 then try(ffi.string, v, random(0, size(v))) try(ffi.fill, v, random(0, size(v)), value()) end
  end,
  function()
    local a, b = value(), value()
    try(function() return a + b end) try(function() return a - b end) try(function() return a * b end)
    try(function() return a / b end) try(function() return a % b end) try(function() return a // b end)
  end,
  function()
    local a, b = value(), value()
    try(function() return a ^ b end) try(function() return a & b end) try(function() return a | b end)
    try(function() return a << b end) try(function() return a >> b end) try(function() return ~a end)
    try(function() return -a end)
  end,
  function()
    local a, b = value(), value()
    try(function() return a == b end) try(function() return a < b end) try(function() return a <= b end)
    try(function() return a .. b end) try(function() return #a end)
  end,
  function()
    local f = value()
    if type(f) == "userdata" and is_ours(f) then try(f, value(), value()) end
  end,
  function() try(function() for _ in pairs(value()) do break end end) end,
  function()
    local v = value()
    if type(v) == "userdata" then try(function() local c <close> = v end) end
  end,
  function() try(ffi.metatype, ctype(), value()) end,
  function() try(ffi.cdef, pick { "int rnd_f1(void);", "struct rnd_x { int a; };", "struct rnd_x { char b; };", "junk", "" }) end,
  function() try(function() return ffi.C[value()] end) end,
  function() try(function() ffi.C[pick { "optind", "RND_K", "nope", "strcmp" }] = value() end) end,
  function() try(ffi.errno, value()) try(ffi.abi, value()) end,
  function() try(ffi.copy, ffi.new("char[64]"), ("x"):rep(random(0, 63))) end,
  function() if random(50) == 1 then collectgarbage() end end,
  function() if random(200) == 1 then pool = {} end end,
}

for _ = 1, cases do pick(operations)() end
return successes
