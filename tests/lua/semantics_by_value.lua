-- FFI Semantics: structs, unions, complex and 128-bit numbers by value. The library is tests/c/calls.c.
local ffi = require "ffi"
local T = ffi.load(TESTLIB)

ffi.cdef [[
struct v_point { double x, y; };
struct v_pair { int a, b; };
struct v_mixed { double d; int i; char c[3]; };
struct v_large { int64_t n[5]; };
struct v_odd { char c[5]; };
union v_number { int64_t i; double d; };
struct v_point t_point(struct v_point p);
struct v_pair t_pair(struct v_pair p);
struct v_mixed t_mixed(int n, struct v_mixed m, double d);
struct v_large t_large(struct v_large l, int64_t x);
struct v_odd t_odd(struct v_odd o);
union v_number t_number(union v_number n);
double t_large_after(int a, struct v_large l, double d, struct v_odd o, int b);
double _Complex t_complex(double _Complex z);
float _Complex t_complexf(float _Complex z);
struct v_mixed t_call_mixed(struct v_mixed (*f)(struct v_mixed, struct v_large, struct v_pair));
int64_t t_call_large(struct v_large (*f)(struct v_odd));
]]

-- In registers.
local p = T.t_point(ffi.new("struct v_point", 1, 2))
check(ffi.istype("struct v_point", p) and p.x == 2 and p.y == 1)
local q = T.t_pair(ffi.new("struct v_pair", 3, -4))
check(q.a == -4 and q.b == 3)
local n = T.t_number(ffi.new("union v_number", { d = 1.5 }))
check(n.d == -1.5)
local o = T.t_odd(ffi.new("struct v_odd", "abcd"))
check(ffi.string(o.c, 5) == "bbcd\1")
local m = T.t_mixed(10, ffi.new("struct v_mixed", 0.5, 1, "ab"), 0.25)
check(m.d == 0.75 and m.i == 11 and m.c[0] == 97 and m.c[2] == 1)

-- In memory.
local l = T.t_large(ffi.new("struct v_large", { { 1, 2, 3, 4, 5 } }), 100)
for i = 0, 4 do check(tonumber(tostring(l.n[i]):match "%d+") == 101 + i) end
check(T.t_large_after(1, l, 0.5, o, 2) == 1 + 105 + 0.5 + 1 + 2)

-- The argument is a copy: what C does to it does not show.
local mine = ffi.new("struct v_pair", 1, 2)
T.t_pair(mine)
check(mine.a == 1 and mine.b == 2)
-- A result is a value of its own.
local first, second = T.t_pair(mine), T.t_pair(mine)
first.a = 99
check(second.a == 2)

-- References, elements and tables convert; other types do not.
local array = ffi.new("struct v_pair[2]", { { 5, 6 }, { 7, 8 } })
check(T.t_pair(array[1]).a == 8)
check(T.t_pair({ 1, 2 }).a == 2 and T.t_pair({ a = 3, b = 4 }).b == 3)
fails("bad argument #1 to '.-' %(cannot convert 'struct v_point' to 'struct v_pair'%)", T.t_pair, p)
fails("cannot convert 'number' to 'struct v_pair'", T.t_pair, 5)
fails("cannot convert 'nil' to 'struct v_pair'", T.t_pair, nil)

-- Callbacks (LuaJIT has none with structs).
if differs "by-value-callbacks" then
  local seen
  local result = T.t_call_mixed(function(m, l, p)
    seen = { m.d, m.i, ffi.string(m.c), num(l.n[4]), num(p.a), num(p.b), l }
    return ffi.new("struct v_mixed", m.d * 2, p.b, "ok")
  end)
  check(seen[1] == 1.5 and seen[2] == 2 and seen[3] == "xy" and seen[4] == 5 and seen[5] == 6 and seen[6] == 7)
  check(num(seen[7].n[0]) == 1) -- the arguments outlive the call
  check(result.d == 3 and result.i == 7 and ffi.string(result.c) == "ok")
  check(num(T.t_call_large(function(o)
    check(ffi.string(o.c) == "odd!")
    return { { 40, 0, 0, 0, 2 } }
  end)) == 42)
  fails("cannot convert 'string' to 'struct v_large'", T.t_call_large, function() return "x" end)
end

-- Complex numbers, and 128-bit integers.
local z = T.t_complex(ffi.new("complex", 1, -2))
check(z.re == 2 and z.im == -4)
local f = T.t_complexf(ffi.new("complex float", 0.5, 3))
check(f.re == 1.5 and f.im == 3)
local native = ffi.abi "64bit"
if differs "types" and native then
  ffi.cdef "__int128 t_int128(__int128 x);"
  local x = T.t_int128(ffi.new("__int128", 5))
  check(ffi.istype("__int128", x) and ffi.tonumber(x) == -5)
end

-- long double: x87 on System V, in memory as an argument, in st0 as a result.
if differs "types" then
  ffi.cdef [[
  long double t_long_double(int n, long double x);
  long double _Complex t_complexl(long double _Complex z);
  struct v_extended { long double x; };
  struct v_extended t_extended(struct v_extended e);
  long double t_call_extended(long double (*f)(long double, int), long double x);
  ]]
  check(T.t_long_double(3, 1.25) == 3.75)
  local z = T.t_complexl(ffi.new("long double _Complex", 1, 2))
  check(tostring(z) == "2+1i")
  local e = T.t_extended(ffi.new("struct v_extended", 0.5))
  check(e.x == 1.5)
  check(T.t_call_extended(function(x, n) return x * n end, 2.5) == 25)
  for i = 1, 20 do check(T.t_long_double(i, 2) == 2 * i) end -- the x87 stack does not fill up
end

-- Vectors.
if differs "types" and native then
  ffi.cdef [[
  typedef float v_float4 __attribute__((vector_size(16)));
  v_float4 t_vector(v_float4 v);
  ]]
  local v = T.t_vector(ffi.new("v_float4", 1, 2, 3, 4))
  check(v[0] == 4 and v[3] == 1)
end

-- For `...`.
if differs "by-value-varargs" then
  ffi.cdef "double t_variable(const char *types, ...);"
  local point, mixed = ffi.new("struct v_point", 1, 2), ffi.new("struct v_mixed", 3, 4)
  local large = ffi.new("struct v_large", { { 5, 0, 0, 0, 6 } })
  local complex, extended = ffi.new("complex", 7, 8), ffi.new("long double", 9)
  for i = 1, 3 do
    check(T.t_variable("pmlzLd", point, mixed, large, complex, extended, 10.5) == 55.5)
    check(T.t_variable("dpd", 1.5, point, 2.5) == 7)
  end
end

-- A type that the convention cannot pass is an error at the first use of the name, not a wrong call.
if differs "types" then
  ffi.cdef [[
  typedef float v_float8 __attribute__((vector_size(64)));
  v_float8 t_vector8(v_float8 v) __asm__("t_i32");
  ]]
  fails("is not supported by convention " .. (native and "sysv64" or "cdecl"), function() return T.t_vector8 end)
end

-- long double and __float128 in full precision.
if ffi.option and ffi.abi "64bit" and ffi.sizeof "long double" == 16 then
  local L, Q = ffi.typeof "long double", ffi.typeof "__float128"
  local x87 = tostring(L(1) / 3) == "0.33333333333333333334"
  local quad = "0.3333333333333333333333333333333333"
  check(x87 or tostring(L(1) / 3) == quad)
  check(tostring(Q(1) / 3) == quad and tostring(Q(1) / 3 + L(1)):find "^1%.333333333333333333333333333333333")
  local tenth = L "0.1"
  check(tostring(tenth) == "0.1" and tenth == L "0.1" and tenth ~= L(0.1) and ffi.tonumber(tenth) == 0.1)
  for text, value in pairs {
    ["0.2"] = tenth + tenth, ["-0.1"] = -tenth, ["1"] = tenth * 10, ["1024"] = L(2) ^ 10, ["0.125"] = L(2) ^ -3, ["1.5"] = L(3) / 2,
    ["3"] = L(-1) % 4, ["9007199254740993"] = L(2 ^ 53) + 1, ["9223372036854775807"] = L(ffi.new("int64_t", 2 ^ 62) - 1 + ffi.new("int64_t", 2 ^ 62)),
    ["1e+4000"] = L "1e4000", ["inf"] = L(1) / 0, ["-inf"] = L "-inf",
  } do
    check(tostring(value) == text, text)
  end
  check(tostring(ffi.new("int64_t", L "9223372036854775807")):find "^9223372036854775807")
  check(tostring(ffi.new("uint64_t", L "18446744073709551615")) == "18446744073709551615ULL")
  if mixed_order then check(tenth < 0.2 and not (tenth < 0.1 and 0.1 < tenth) and 1 <= L(1)) end
  fails("cannot convert 'string' to 'long double'", L, "0.1x")
  do
    local holder = ffi.new("struct { long double l; __float128 q; long double of[2]; }", { tenth, Q(1) / 3, { 0, tenth } })
    local third = L(1) / 3
    ffi.cdef "long double fabsl(long double); long double sqrtl(long double);"
    check(holder.l == 0.1 and holder.of[1] == 0.1 and ffi.C.sqrtl(2) == 2 ^ 0.5)
    ffi.option("longdouble", "cdata")
    check(holder.l == tenth and tostring(holder.q) == quad and holder.of[1] == tenth)
    -- Valgrind's x87 unit rounds every value that it loads to a double.
    if not (os.getenv and os.getenv "LD_PRELOAD" or ""):find "vgpreload" then
      check(tostring(ffi.C.fabsl(-third)) == tostring(third))
      local add = ffi.cast("long double (*)(long double)", function(x) return x + third end)
      check(tostring(add(third)) == tostring(third + third))
      if x87 then check(tostring(ffi.C.sqrtl(2)) == "1.4142135623730950488") end
    end
    ffi.option("longdouble", "number")
    check(holder.l == 0.1)
  end
end
