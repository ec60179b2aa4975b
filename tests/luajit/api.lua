-- LuaJIT's ffi.* API page and the callback section of the semantics.
local ffi = require "ffi"
local C = ffi.C
ffi.cdef [[
  typedef struct foo { int a, b; } foo_t;
  struct nested { foo_t f; union { int i; float g; }; int bits : 3; int more : 5; };
  int getpid(void); void qsort(void *base, size_t nel, size_t width, int (*compar)(const uint8_t *, const uint8_t *));
  void *malloc(size_t size); void free(void *ptr);
  typedef int (*binop)(int, int);
  enum api_color { RED = 1, GREEN, BLUE = 10 };
  static const int API_CONST = 42;
]]
print(pcall(ffi.cdef, "typedef struct { int x } broken;") == false, C.API_CONST, C.BLUE, pcall(function() return C.no_such_symbol_x end) == false)
print(pcall(ffi.load, "no_such_library_at_all") == false)
-- new, typeof, cast.
local ct = ffi.typeof "foo_t"
print(ct, tostring(ffi.typeof "int *[4]"), ffi.typeof "const char *", ffi.typeof(ct(1, 2)) == ct, ffi.typeof("struct foo") == ct)
print(ct(1, 2).b, ct{3, 4}.a, ct{b = 5}.b, ct(ct(6, 7)).b, ct().a, ct{}.b, ct{a = 1}.b)
print(ffi.new("int[3]", 7)[2], ffi.new("int[3]", 7, 8)[2], ffi.new("int[3]", {7, 8})[2], ffi.new("int[?]", 2, {9})[0], ffi.new("foo_t[2]", {{1, 2}, {3}})[1].a)
print(ffi.string(ffi.new("char[6]", "hello")), ffi.new("char[2]", "xyz")[1], ffi.sizeof(ffi.new("char[?]", 5)), pcall(ffi.new, "int[2]", {1, 2, 3}) == false)
print(tonumber(ffi.cast("int8_t", 200)), tonumber(ffi.cast("uint8_t", -1)), tonumber(ffi.cast("int", 3.99)), tonumber(ffi.cast("int", -3.99)), ffi.cast("int64_t", 2 ^ 40), ffi.cast("uint64_t", -1LL), ffi.cast("uint32_t", -1) == 4294967295)
print(ffi.cast("void *", 0x1234), ffi.cast("uintptr_t", ffi.cast("void *", 0x1234)), tonumber(ffi.cast("intptr_t", ffi.cast("char *", 16))), ffi.cast("int", ffi.cast("enum api_color", "GREEN")) == 2)
print(tonumber(ffi.new("enum api_color", "BLUE")), ffi.new("enum api_color", 2) == "GREEN", tostring(ffi.new("enum api_color", 2)), pcall(ffi.new, "enum api_color", "PINK") == false)
-- metatype, gc.
local Foo = { __index = { sum = function(f) return f.a + f.b end }, __tostring = function(f) return "foo<" .. f.a .. "," .. f.b .. ">" end,
  __call = function(f, x) return f.a * x end, __lt = function(x, y) return x.a < y.a end, __le = function(x, y) return x.a <= y.a end, __unm = function(x) return -x.a end,
  __concat = function(x, y) return tostring(x) .. "&" .. tostring(y) end, __mod = function(x, y) return "mod" end, __newindex = function(f, k, v) print("set", k, v) end }
local foo = ffi.metatype("foo_t", Foo)
local x, y = foo(2, 3), foo(5, 6)
print(x:sum(), tostring(x), x(10), x < y, x <= y, x > y, -y, x .. y, x .. "s", "s" .. y, x % 2)
x.zzz = 5
print(pcall(function() return x.nope end), getmetatable(x), ffi.istype(foo, x), ffi.istype("struct foo *", x), ffi.istype("foo_t", ffi.cast("foo_t *", x)), pcall(ffi.metatype, "foo_t", {}) == false)
local log = {}
do
  local p = ffi.gc(ffi.C.malloc(16), function(p) log[#log + 1] = "freed " .. type(p) ffi.C.free(p) end)
  p = nil
  local keep = ffi.gc(ffi.new("foo_t", 1, 2), function(f) log[#log + 1] = "foo " .. f.a end)
  ffi.gc(keep, nil)
end
collectgarbage() collectgarbage()
print(table.concat(log, ","))
-- sizeof, alignof, offsetof, istype.
print(ffi.sizeof "struct nested", ffi.alignof "struct nested", ffi.offsetof("struct nested", "i"), ffi.offsetof("struct nested", "more"), ffi.offsetof("struct nested", "zzz"))
print(ffi.sizeof("int[?]", 5), ffi.sizeof "void *", ffi.sizeof "long double", ffi.alignof "double", ffi.sizeof(5LL), ffi.sizeof "struct { char c; int i; }")
print(ffi.istype("int", 5), ffi.istype("int64_t", 5LL), ffi.istype("const int", ffi.new "int"), ffi.istype("int *", ffi.new "int[1]"), ffi.istype("int[1]", ffi.new "int[1]"), ffi.istype("uint64_t", 5LL))
-- errno, string, copy, fill.
ffi.errno(5)
print(ffi.errno(), ffi.errno(0), ffi.errno())
local b = ffi.new "uint8_t[8]"
ffi.fill(b, 8, 0x41) ffi.copy(b, "hi", 2) ffi.copy(b + 4, "xyz")
print((ffi.string(b, 8):gsub("%z", "0")), ffi.string(b + 4), ffi.string("lua", 2))
-- abi, os, arch.
print(ffi.abi "64bit", ffi.abi "le", ffi.abi "win", ffi.os, ffi.arch)
-- Callbacks.
local cb = ffi.cast("binop", function(p, q) return p * q end)
print(cb(6, 7), cb ~= nil, tostring(cb):match "^cdata<int %(%*%)%(.*%)>: 0x" ~= nil)
cb:set(function(p, q) return p - q end)
print(cb(6, 7))
cb:free()
local values = ffi.new("int32_t[6]", 5, 3, 9, -1, 7, 0)
C.qsort(values, 6, 4, function(p, q)
  p, q = ffi.cast("const int32_t *", p), ffi.cast("const int32_t *", q)
  return p[0] < q[0] and -1 or p[0] > q[0] and 1 or 0
end)
local sorted = {}
for i = 0, 5 do sorted[#sorted + 1] = values[i] end
print(table.concat(sorted, " "), pcall(function() local c = ffi.cast("binop", error) c:free() return "freed" end))
-- cdata as keys and in tables; tonumber.
local t, k = {}, 1LL
t[k] = "by identity"
print(t[k], t[1LL], t[tonumber(k)], tonumber "0x7fffffff", tonumber(ffi.new("float", 0.1)), tonumber(ffi.new "int *"))
-- Parameterised types.
local pair = ffi.typeof("struct { $ first, second; }", foo)
print(ffi.sizeof(pair), pair({1, 2}, {3, 4}).second:sum(), ffi.typeof("$ *", foo) == ffi.typeof "foo_t *", ffi.sizeof(ffi.typeof("int[$]", 3)), ffi.typeof("struct { int $; }", "named")(5).named)
