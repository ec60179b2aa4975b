-- FFI Semantics: "Indexing a cdata object"
local ffi = require "ffi"

local function get(value, key) return value[key] end
local function set(value, key, new) value[key] = new end

ffi.cdef [[
  struct idx_point { int x, y; };
  struct idx_node { int value; struct idx_node *next; struct idx_point at[2]; };
  struct idx_const { const int fixed; int free; };
  struct idx_opaque;
  struct idx_limits { static const int MAX = 12; int used; };
]]

-- Pointers and arrays: by number, from 0.
local a = ffi.new("int[4]", 10, 20, 30, 40)
check(a[0] == 10 and a[3] == 40)
a[1] = 21
check(a[1] == 21)
local p = a + 2
check(p[0] == 30 and p[-2] == 10 and p[1] == 40)
p[-1] = 22
check(a[1] == 22)

-- A fractional index is truncated; an integer cdata is an index, an enum too.
check(a[1.9] == 22)
check(a[ffi.new("int64_t", 3)] == 40)
check(a[ffi.new("uint8_t", 2)] == 30)
ffi.cdef [[ enum idx_e { IDX_TWO = 2 }; ]]
check(a[ffi.new("enum idx_e", 2)] == 30)
check(a[ffi.C.IDX_TWO] == 30)
fails("'int %[4%]' cannot be indexed with", get, a, ffi.new("double", 1))
fails("'int %[4%]' cannot be indexed with 'int %*'", get, a, p)
fails("'int %[4%]' cannot be indexed with 'boolean'", get, a, true)
fails("'int %[4%]' cannot be indexed with 'table'", get, a, {})
fails("'int %[4%]' has no member named 'x'", get, a, "x")
fails("'int %*' has no member named 'x'", get, p, "x")
fails("'int %[4%]' has no member named 'x'", set, a, "x", 1)

-- Arrays of arrays.
local grid = ffi.new("int[2][3]", { { 1, 2, 3 }, { 4, 5, 6 } })
check(grid[1][2] == 6 and grid[0][0] == 1)
grid[1][0] = 44
check(grid[1][0] == 44)
grid[0] = { 7, 8, 9 }
check(grid[0][1] == 8)

-- Struct members by name, also through a pointer (->), which LuaJIT does by itself for one level.
local node = ffi.new("struct idx_node", 1)
local other = ffi.new("struct idx_node", 2)
node.next = other
check(node.value == 1 and node.next.value == 2)
node.next.value = 3
check(other.value == 3)
node.at[1].y = 5
check(node.at[1].y == 5)
local pn = ffi.new("struct idx_node *", node)
pn.value = 8
check(node.value == 8 and pn[0].value == 8 and pn.next.value == 3)
node.at[0] = { 1, 2 }
node.at[1] = node.at[0]
check(node.at[1].x == 1)
local ppn = ffi.new("struct idx_node *[1]", { pn })
check(ppn[0].value == 8)
fails("has no member named 'value'", get, ppn, "value")
fails("'struct idx_node' has no member named 'nope'", get, node, "nope")
fails("'struct idx_node' has no member named 'nope'", get, pn, "nope")
fails("'struct idx_node' has no member named 'nope'", set, node, "nope", 1)
fails("'struct idx_node' cannot be indexed with 'number'", get, node, 0)

-- A struct as element of what a pointer points to.
local ps = ffi.new("struct idx_point[2]", { { 1, 2 }, { 3, 4 } })
local pp = ffi.cast("struct idx_point *", ps)
check(pp[1].x == 3 and (pp + 1).y == 4)
pp[1] = { 5, 6 }
check(ps[1].x == 5)
ps[0] = ps[1]
check(ps[0].y == 6)

-- Constant locations.
local c = ffi.new("const int[2]", 1, 2)
fails("attempt to write to constant location", set, c, 0, 1)
local k = ffi.new("struct idx_const", 1, 2)
k.free = 3
fails("attempt to write to constant location", set, k, "fixed", 1)
local kp = ffi.cast("const struct idx_point *", ps)
fails("attempt to write to constant location", set, kp, "x", 1)
fails("attempt to write to constant location", function() kp[0].x = 1 end)
local cs = ffi.new("const struct idx_node")
fails("attempt to write to constant location", set, cs, "value", 1)
if differs "const-members" then
  -- LuaJIT forgets the const of the struct in a reference to a member's element.
  fails("attempt to write to constant location", function() cs.at[0].x = 1 end)
end
check(kp.x == 5 and c[1] == 2 and k.fixed == 1)

-- complex: .re and .im, and by number; constant.
local z = ffi.new("complex", 1, 2)
check(z.re == 1 and z.im == 2 and z[0] == 1 and z[1] == 2)
fails("attempt to write to constant location", set, z, "re", 5)
fails("attempt to write to constant location", set, z, 1, 5)
fails("has no member named 'abs'", get, z, "abs")

-- Vectors by number; constant.
local v = ffi.new("int __attribute__((vector_size(8)))", 1, 2)
check(v[0] == 1 and v[1] == 2)
fails("attempt to write to constant location", set, v, 0, 5)

-- Scalars have nothing.
fails("'int' cannot be indexed with 'number'", get, ffi.new("int"), 0)
fails("'int' has no member named 'x'", get, ffi.new("int"), "x")
fails("'int64_t' has no member named 'x'", get, ffi.new("int64_t"), "x")
fails("'int' cannot be indexed with 'number'", set, ffi.new("int"), 0, 1)

-- Elements without a size.
fails("size of C type is unknown or too large", get, ffi.cast("void *", a), 0)
fails("size of C type is unknown or too large", get, ffi.cast("struct idx_opaque *", a), 0)
fails("has no member named 'x'", get, ffi.cast("struct idx_opaque *", a), "x")

-- Constants of a struct, through the ctype and through a value.
check(ffi.typeof("struct idx_limits").MAX == 12)
check(ffi.new("struct idx_limits").MAX == 12)
fails("attempt to write to constant location", set, ffi.new("struct idx_limits"), "MAX", 1)
check(ffi.sizeof("struct idx_limits") == 4)

-- NULL: LuaJIT crashes; here it is an error.
if differs "null-access" then
  fails("NULL pointer of type 'int %*'", get, ffi.new("int *"), 0)
  fails("NULL pointer of type 'struct idx_point %*'", get, ffi.new("struct idx_point *"), "x")
  fails("NULL pointer", set, ffi.new("int *"), 3, 1)
  fails("NULL pointer", function() return node.next.next.value end)
end

-- References of C++.
ffi.cdef [[ struct idx_ref { int &r; }; ]]
if differs "references" then
  local target = ffi.new("int[1]", 5)
  local ref = ffi.new("struct idx_ref", target)
  check(ref.r == 5)
  ref.r = 6
  check(target[0] == 6)
  fails("NULL reference", get, ffi.new("struct idx_ref"), "r")
end
check(num(ffi.sizeof("struct idx_ref")) == ffi.sizeof("void *"))

-- Keys of a Lua table: by object, not by value.
local t = {}
t[a] = "array"
check(t[a] == "array" and t[a + 0] == nil)

-- A cast makes a reference; operations go to what it refers to.
local pair = ffi.new("int[2]", 5, 6)
local second = ffi.cast("int &", pair + 1)
check(num(second) == 6)
check(digits(second + 1) == "7")
pair[1] = 8
check(num(second) == 8)
local whole = ffi.new("struct idx_point", 1, 2)
local alias = ffi.cast("struct idx_point &", whole)
alias.x = 9
check(whole.x == 9)
check(ffi.istype("struct idx_point", alias))
check(ffi.typeof(alias) == ffi.typeof("struct idx_point &"))

-- ffi.new of a reference refers to its initialiser, too.
do
  local point = ffi.new("struct idx_point", 1, 2)
  local bound = ffi.new("struct idx_point &", point)
  bound.x = 5
  check(point.x == 5 and ffi.typeof(bound) == ffi.typeof("struct idx_point &"))
  local numbers = ffi.new("int[2]", 3, 4)
  numbers[0] = 6
  check(num(ffi.new("int &", numbers)) == 6)
  check(num(ffi.new("int &", numbers + 1)) == 4)
  check(not pcall(ffi.new, "int &", 5) and not pcall(ffi.new, "int &", numbers, 1) and not pcall(ffi.new, "short &", numbers))
  bound = nil
  local kept = ffi.new("int (&)[2]", ffi.cast("int (*)[2]", numbers))
  numbers = nil
  collectgarbage()
  check(kept[1] == 4)
end
check(ffi.cast("struct idx_point &", ffi.cast("void *", whole)).y == 2)
fails("'int' cannot be indexed with 'number'", get, second, 0)
if differs "null-access" then fails("NULL reference to 'int'", ffi.cast, "int &", nil) end

-- An array that owns its bytes has bounds, and so has what a reference keeps alive. A pointer has none.
if differs "array-bounds" then
  local function last(value)
    for _, i in ipairs { 1, 2, 3 } do if not pcall(get, value, i) then return i - 1 end end
    return 3
  end
  for _ = 1, 3 do -- on the fast path, too
    local three, variable = ffi.new("int[3]", 1, 2, 3), ffi.new("int[?]", 3, 1, 2, 3)
    check(three[2] == 3 and variable[2] == 3)
    fails("index 3 is out of range of 'int %[3%]'", get, three, 3)
    fails("index %-1 is out of range of 'int %[3%]'", get, three, -1)
    fails("index 3 is out of range of 'int %[3%]'", get, three, 3.5)
    fails("index 3 is out of range of 'int %[3%]'", set, three, 3, 1)
    fails("index 3 is out of range of 'int %[%?%]' with 3 elements", get, variable, 3)
    fails("index 4 is out of range of 'int %[%?%]' with 3 elements", set, variable, 4, 1)
    fails("index 0 is out of range of 'int %[0%]'", get, ffi.new("int[0]"), 0)
    fails("index 0 is out of range of 'int %[%?%]' with 0 elements", get, ffi.new("int[?]", 0), 0)
    fails("index 3 is out of range of 'struct idx_point %[3%]'", get, ffi.new("struct idx_point[3]"), 3)
    check(three + 3 - three == 3 and (three + 3)[-1] == 3 and (variable + 3)[-3] == 1)
    check(last(three) == 2 and last(variable) == 2)

    if not checked then
      local rows = ffi.new("int[2][2]", { { 1, 2 }, { 3, 4 } })
      check(rows[0][3] == 4)
      fails("index 4: attempt to read 4 bytes at byte 16 of memory of 16 bytes", get, rows[0], 4)
      fails("index %-1: attempt to read", get, rows[0], -1)
      local tail = ffi.new("struct { int count; int data[?]; }", 2, 2, { 5, 6 })
      check(tail.data[1] == 6)
      fails("index 2: attempt to read 4 bytes at byte 12 of memory of 12 bytes", get, tail.data, 2)
      fails("index 2: attempt", set, tail.data, 2, 1)
      local old = ffi.new("struct { int count; int data[1]; int more[1]; }", 2, { 5 }, { 6 })
      check(old.data[1] == 6)
      fails("index 2: attempt", get, old.data, 2)
      -- Nobody knows how long the memory of C is.
      local foreign = ffi.cast("struct { int count, data[1]; } *", ffi.cast("intptr_t", ffi.cast("char *", rows)))
      check(foreign.data[2] == 4)
      foreign.data[2] = 4
    end
  end
end

-- Nothing writes to a constant, even with a `__newindex`; nor to a struct with a constant member as a whole.
do
  ffi.cdef "struct idx_meta { int x; }; struct idx_part { int x; const int fixed; };"
  local written = 0
  ffi.metatype("struct idx_meta", { __newindex = function() written = written + 1 end })
  local value = ffi.new "struct idx_meta"
  value.other = 1
  check(written == 1)
  for _, object in ipairs { ffi.new "const struct idx_meta", ffi.new("const struct idx_meta *", value), ffi.new("const struct idx_meta[1]")[0] } do
    fails("attempt to write to constant location", set, object, "x", 1)
    fails("attempt to write to constant location", set, object, "other", 1)
  end
  check(written == 1)
  fails("attempt to write to constant location", set, ffi.new "struct idx_part[1]", 0, { 1, 2 })
  fails("attempt to write to constant location", set, ffi.new("struct idx_part *", ffi.new "struct idx_part"), 0, { 1, 2 })
  fails("attempt to write to constant location", set, ffi.new "const struct idx_meta[1]", 0, { 1 })
end
