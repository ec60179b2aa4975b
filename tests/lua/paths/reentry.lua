-- Prints what calls of C do before and after a state has its first callback: the same functions, called often before, call back
-- then, from coroutines, with errors, and one inside the other. The output must not depend on how it is done.
local ffi = require "ffi"
local lib = ffi.load(arg[1])

ffi.cdef [[
struct point { double x, y; };
int32_t through_int32(int32_t (*f)(int32_t), int32_t x);
double through_double(double (*f)(double), double x);
const char *through_text(const char *(*f)(const char *), const char *x);
struct point through_point(struct point (*f)(struct point), struct point x);
void *through_memory(void *(*f)(void *), void *x);
int abs(int);
double fabs(double);
char *strdup(const char *);
void free(void *);
size_t strlen(const char *);
int snprintf(char *, size_t, const char *, ...);
void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
]]
local C = ffi.C
local abs, fabs = ffi.cast("int32_t (*)(int32_t)", C.abs), ffi.cast("double (*)(double)", C.fabs)
local buffer, point = ffi.new "char[32]", ffi.new("struct point", 1.5, 2.5)
local in_c = { f = abs }

local function show(value)
  if type(value) ~= "userdata" then return math.type(value) or type(value), tostring(value) end
  if ffi.istype("struct point", value) then return "point", value.x, value.y end
  return tostring(ffi.typeof(value)), tostring(value):match "^%d+" or "cdata"
end

local function try(label, f, ...)
  local ok, result, more = pcall(f, ...)
  if ok then print(label, show(result)) else print(label, "error", (tostring(result):gsub("0x%x+", "address"))) end
  if more then print(label, "more", show(more)) end
end

-- Every kind of argument and result, right and wrong.
local function calls(label)
  for i = 1, 5 do
    try(label .. " int", lib.through_int32, abs, -i)
    try(label .. " double", lib.through_double, fabs, -i / 2)
    try(label .. " pointer", function() return abs(-i) end)
    try(label .. " memory", function() local p = C.strdup("text" .. i) local n = C.strlen(p) C.free(p) return n end)
    try(label .. " variable", function() return C.snprintf(buffer, 32, "%d %s %g", i, "x", 1.5) end)
    try(label .. " variable", function() return C.snprintf(buffer, 32, "%g", i / 4) end)
    try(label .. " text", function() return ffi.string(buffer) end)
    try(label .. " type", lib.through_int32, abs, {})
    try(label .. " count", lib.through_int32, abs)
    try(label .. " range", C.abs, "text")
  end
end

local function int_callback(f) return ffi.cast("int32_t (*)(int32_t)", f) end

-- A call from a coroutine comes back on it, and the next call on its own.
local function threads(label)
  local expected
  local function where(x)
    print(label, coroutine.running() == expected, x)
    if x == 2 then error("from a callback", 0) end
    return x * 2
  end
  for _, f in ipairs { where, int_callback(where) } do
    for i = 1, 3 do
      local inside = coroutine.create(lib.through_int32)
      expected = inside
      try(label .. " coroutine", coroutine.resume, inside, f, i)
      expected = coroutine.running()
      try(label .. " main", lib.through_int32, f, i)
    end
  end
end

local function nested(depth, make)
  if depth == 0 then error("at the bottom", 0) end
  return lib.through_int32(make(function(x)
    local ok, problem = pcall(nested, depth - 1, make)
    print("nested", depth, ok, problem)
    if depth % 2 == 0 then error("from " .. depth, 0) end
    return C.abs(-x) + (ok and problem or 0)
  end), depth)
end

calls "without callbacks"
in_c.f = int_callback(function(x) return x * 10 end)
calls "with a callback"
local failing = ffi.cast("double (*)(double)", function() error("on purpose", 0) end)
local deep = int_callback(function(x) return select("#", table.unpack({}, 1, 200 * x)) end)
local swapped = ffi.cast("void *(*)(void *)", function(p)
  collectgarbage "step"
  return p
end)
for i = 1, 5 do
  try("callback", lib.through_int32, in_c.f, i)
  try("its pointer", function() return in_c.f(i) end)
  try("collected", lib.through_int32, function(x)
    collectgarbage()
    return x
  end, i)
  try("a point", lib.through_point, function(p) return ffi.new("struct point", p.y, p.x) end, point)
  try("memory", lib.through_memory, swapped, ffi.new("int[4]"))
  try("error", lib.through_double, failing, 1)
  try("after it", lib.through_double, fabs, -1)
  try("wrong in it", lib.through_double, function(x) return lib.through_double(fabs, {}) end, 1)
  try("deep stack", lib.through_int32, deep, i)
end
threads "threads"
print(pcall(nested, 6, function(f) return f end))
print(pcall(nested, 6, int_callback))
local list = ffi.new("int[6]", 5, 3, 6, 1, 4, 2)
C.qsort(list, 6, 4, function(a, b) return C.abs(a[0]) - C.abs(b[0]) end)
print(list[0], list[1], list[2], list[3], list[4], list[5])
calls "at the end"
