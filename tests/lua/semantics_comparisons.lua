-- FFI Semantics: "Comparisons of cdata objects"
-- PUC Lua calls __eq only for two userdata: a cdata never equals a Lua number or nil there.
local ffi = require "ffi"

local function i64(x) return ffi.new("int64_t", x) end
local function u64(x) return ffi.new("uint64_t", x) end
local function lt(a, b) return a < b end
local function le(a, b) return a <= b end

-- Integers: as 64 bits, unsigned if one is.
check(i64(5) == i64(5) and i64(5) ~= i64(6))
check(i64(5) == u64(5))
check(i64(-1) == u64(0) - u64(1), "as unsigned")
check(ffi.new("int", 5) == i64(5))
check(ffi.new("double", 5.5) == i64(5))
check(i64(-1) < i64(0) and not (i64(0) < i64(-1)))
check(u64(0) < i64(-1), "as unsigned")
check(u64(5) >= i64(5))
if mixed_order then
  check(i64(1) < 2 and 1 < i64(2) and i64(2) <= 2 and 2 >= i64(2))
  check(i64(3) > 2.5 and i64(3) >= 3)
  check(not (u64(0) - u64(1) < 1))
  check(u64(5) <= 5)
end
for a = -2, 2 do
  for b = -2, 2 do
    check((i64(a) < i64(b)) == (a < b))
    check((i64(a) == i64(b)) == (a == b))
    check(not mixed_order or (i64(a) <= b) == (a <= b))
    check(not mixed_order or (a < i64(b)) == (a < b))
  end
end

-- Enums: as integers, and by name.
ffi.cdef [[ enum cmp_e { CMP_A, CMP_B, CMP_C }; ]]
local e = ffi.new("enum cmp_e", "CMP_B")
check(e == i64(1) and e == ffi.new("enum cmp_e", 1))
check(not mixed_order or e < "CMP_C" and not (e < "CMP_A") and e <= "CMP_B")
if mixed_order then fails("cannot convert 'string' to 'enum cmp_e'", lt, e, "CMP_Z") end
if not differs "equality" then check(e == "CMP_B" and e ~= "CMP_A") end

-- Pointers: equal by address whatever they point to; ordered if they are compatible.
local a = ffi.new("int[4]")
local p, q = a + 1, a + 2
check(p == p and p ~= q and a + 0 == a)
check(p < q and p <= q and q > p and q >= q)
check(a < q and a <= a)
check(ffi.cast("void *", p) == p)
check(ffi.cast("char *", p) == p)
check(ffi.cast("const int *", p) == p and ffi.cast("const int *", p) < q)
check(ffi.new("int *") == ffi.new("void *"))
fails("attempt to compare 'int %*' with 'char %*'", lt, p, ffi.cast("char *", q))
if mixed_order then
  fails("attempt to compare 'int %*' with 'number'", lt, p, 1)
  fails("attempt to compare 'number' with 'int %*'", le, 1, p)
end

-- Structs: the same object, at the same address.
ffi.cdef [[ struct cmp_s { int x; }; ]]
local s, t = ffi.new("struct cmp_s", 1), ffi.new("struct cmp_s", 1)
check(s == s and s ~= t)
local array = ffi.new("struct cmp_s[2]")
check(array[1] == array[1], "two references to one object")
check(array[0] ~= array[1])
fails("attempt to compare 'struct cmp_s' with 'struct cmp_s'", lt, s, t)
if mixed_order then
  fails("attempt to compare 'struct cmp_s' with 'number'", lt, s, 1)
  fails("attempt to compare 'int64_t' with 'string'", lt, i64(1), "1")
  fails("attempt to compare 'int64_t' with 'table'", lt, i64(1), {})
  fails("attempt to compare 'nil' with 'int64_t'", lt, nil, i64(1))
end

-- Equality with something else is false, never an error.
check(i64(1) ~= "1" and i64(1) ~= {} and p ~= "p" and s ~= true and p ~= print)
check(ffi.typeof("int") ~= i64(1))
check(ffi.typeof("int") == ffi.typeof("int"))
if not differs "equality" then
  check(i64(5) == 5 and ffi.new("void *") == nil and p ~= nil)
else
  check(i64(5) ~= 5 and ffi.new("void *") ~= nil, "PUC Lua: write ffi.NULL, ffi.tonumber")
  check(ffi.new("int *") == ffi.NULL and ffi.new("int *") == ffi.nullptr and p ~= ffi.NULL)
end
