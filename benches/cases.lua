-- The paths of the library, one by one, under any Lua that has an `ffi`. It needs the C library and nothing else.
--   lua cases.lua           the names of the cases
--   lua cases.lua CASE N    a case, N times
--   lua cases.lua time      nanoseconds an operation of each case, the loop included: the best of several rounds
local ffi = require "ffi"
ffi.cdef [[
int abs(int n);
double fabs(double x);
size_t strlen(const char *s);
typedef struct { int quot, rem; } div_t;
div_t div(int a, int b);
int snprintf(char *buffer, size_t size, const char *format, ...);
void *bsearch(const void *key, const void *base, size_t count, size_t size, int (*compare)(intptr_t a, intptr_t b));
struct point { double x, y; };
struct vector { double x, y; };
]]
local C = ffi.C
local point, array, buffer = ffi.new("struct point", 1, 2), ffi.new("double[16]"), ffi.new("char[64]")
local ct = ffi.typeof "struct point"
local vector = ffi.metatype("struct vector", {
  __add = function(a) return a end,
  __index = { itself = function(self) return self end },
})(1, 2)

local cases = {
  loop = function(n) for _ = 1, n do end end,
  call = function(n) local f = C.abs for i = 1, n do f(i) end end,
  namespace = function(n) for i = 1, n do C.abs(i) end end,
  double = function(n) local f = C.fabs for _ = 1, n do f(1.5) end end,
  string = function(n) local f = C.strlen for _ = 1, n do f("hello world") end end,
  pointer = function(n) local f = C.strlen for _ = 1, n do f(buffer) end end,
  struct_result = function(n) local f = C.div for i = 1, n do f(i, 3) end end,
  variadic = function(n) local f = C.snprintf for i = 1, n do f(buffer, 64, "%ld", i) end end,
  field_read = function(n) local p, s = point, 0 for _ = 1, n do s = s + p.x end end,
  field_write = function(n) local p = point for i = 1, n do p.x = i end end,
  element_read = function(n) local a, s = array, 0 for _ = 1, n do s = s + a[3] end end,
  element_write = function(n) local a = array for i = 1, n do a[3] = i end end,
  construct = function(n) local t = ct for _ = 1, n do t(1, 2) end end,
  new = function(n) local new = ffi.new for _ = 1, n do new("struct point") end end,
  text = function(n) local f, s = ffi.string, ffi.cast("const char *", buffer) for _ = 1, n do f(s) end end,
  copy = function(n) local f, a = ffi.copy, buffer for _ = 1, n do f(a, a, 64) end end,
  text_array = function(n) local f, a = ffi.string, ffi.new("char[32]", "in an array") for _ = 1, n do f(a) end end,
  copy_text = function(n) local f, a = ffi.copy, buffer for _ = 1, n do f(a, "a Lua string") end end,
  method = function(n) local v = vector for _ = 1, n do v:itself() end end,
  operator = function(n) local v, w = vector, nil for _ = 1, n do w = v + v end return w end,
  pointer_add = function(n) local p, q = array + 1, nil for _ = 1, n do q = p + 1 end return q end,
  pointer_less = function(n) local p, q, r = array + 1, array + 2, nil for _ = 1, n do r = p < q end return r end,
  new_array = function(n) local t = ffi.typeof "int[4]" for _ = 1, n do t() end end,
  new_length = function(n) local t = ffi.typeof "int[?]" for _ = 1, n do t(4) end end,
  callback = function(n)
    local compare = ffi.cast("int (*)(intptr_t, intptr_t)", function() return 0 end)
    local f, a = C.bsearch, array
    for _ = 1, n do f(a, a, 1, 8, compare) end
  end,
  callback_create = function(n)
    local t, f, cast = ffi.typeof "int (*)(int)", function() return 0 end, ffi.cast
    for _ = 1, n do cast(t, f):free() end
  end,
}

-- 32-bit x86 code through the gate, where there is one: `return x * x`.
local guest = ffi.target and ffi.target "i686-unknown-linux-gnu"
local gate, code = pcall(function() return guest.code "\139\068\036\004\015\175\192\195" end)
if gate then
  cases.gate = function(n) local f = guest.cast("int (*)(int)", code) for i = 1, n do f(i) end end
end

local names = {}
for name in pairs(cases) do names[#names + 1] = name end
table.sort(names)

local function time(case)
  local clock, n, best = os.clock, 1000, math.huge
  case(n)
  repeat
    n = n * 2
    local start = clock()
    case(n)
    local seconds = clock() - start
  until seconds > 0.01
  for _ = 1, 5 do
    collectgarbage()
    local start = clock()
    case(n)
    best = math.min(best, (clock() - start) / n * 1e9)
  end
  return best
end

if arg[1] == "time" then
  for _, name in ipairs(names) do print(("%s\t%.2f"):format(name, time(cases[name]))) end
elseif cases[arg[1]] then
  -- What is compiled is compiled before.
  cases[arg[1]](5000)
  cases[arg[1]](tonumber(arg[2]))
else
  print(table.concat(names, "\n"))
end
