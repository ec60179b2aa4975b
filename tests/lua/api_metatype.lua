-- ffi.metatype
local ffi = require "ffi"

-- The point of LuaJIT's tutorial.
ffi.cdef [[ typedef struct { double x, y; } mt_point; ]]
local point
local mt = {
  __add = function(a, b) return point(a.x + b.x, a.y + b.y) end,
  __len = function(a) return math.sqrt(a.x * a.x + a.y * a.y) end,
  __index = { area = function(a) return a.x * a.x + a.y * a.y end, kind = "point" },
}
point = ffi.metatype("mt_point", mt)
local a = point(3, 4)
check(a.x == 3 and a.y == 4 and #a == 5 and a:area() == 25 and a.kind == "point")
check(#(a + point(0.5, 8)) == 12.5)
check(point == ffi.typeof("mt_point"))
fails("has no member named 'nope'", function() return a.nope end)
fails("protected", ffi.metatype, "mt_point", {})

-- Every operator.
ffi.cdef [[ typedef struct { int v; } mt_num; ]]
local num
local function value(x) return type(x) == "number" and x or x.v end
local ops = {
  __sub = function(p, q) return num(value(p) - value(q)) end,
  __mul = function(p, q) return num(value(p) * value(q)) end,
  __div = function(p, q) return num(value(p) / value(q)) end,
  __mod = function(p, q) return num(value(p) % value(q)) end,
  __pow = function(p, q) return num(value(p) ^ value(q)) end,
  __unm = function(p) return num(-p.v) end,
  __eq = function(p, q) return ffi.istype("mt_num", q) and p.v == q.v end,
  __lt = function(p, q) return value(p) < value(q) end,
  __le = function(p, q) return value(p) <= value(q) end,
  __concat = function(p, q) return tostring(p) .. "&" .. tostring(q) end,
  __tostring = function(p) return "num " .. p.v end,
  __call = function(p, ...) return p.v, select("#", ...), ... end,
  __index = function(_, key) return "index " .. key end,
  __newindex = function(p, key, new) p.v = key * 10 + new end,
}
if native64 then
  ops.__idiv = assert(compile "local num, value = ... return function(p, q) return num(value(p) // value(q)) end")(
    function(x) return num(x) end, value)
  for name, op in pairs { band = "&", bor = "|", bxor = "~", shl = "<<", shr = ">>" } do
    ops["__" .. name] = assert(compile("local num, value = ... return function(p, q) return num(value(p) " .. op .. " value(q)) end"))(
      function(x) return num(x) end, value)
  end
  ops.__bnot = assert(compile "local num = ... return function(p) return num(~p.v) end")(function(x) return num(x) end)
  ops.__close = function(p) p.v = -1 end
end
num = ffi.metatype("mt_num", ops)
local x, y = num(7), num(2)
check((x - y).v == 5 and (x - 1).v == 6 and (10 - x).v == 3)
check((x * y).v == 14 and (x / y).v == 3 and (x % y).v == 1 and (x ^ y).v == 49 and (-x).v == -7)
check(x == num(7) and x ~= y and y < x and y <= x and not (x < y) and (not mixed_order or x > 1 and 1 < x))
check(x .. y == "num 7&num 2" and x .. "s" == "num 7&s" and "s" .. x == "s&num 7")
check(tostring(x) == "num 7")
local v, n, first, second = x("a", nil)
check(v == 7 and n == 2 and first == "a" and second == nil)
check(x.other == "index other" and x.v == 7)
x[4] = 2
check(x.v == 42)
if native64 then
  check(compile "local x, y, num = ... return (x // y).v == 21 and (x & y).v == 2 and (x | 1).v == 43 and (x ~ y).v == 40 and (x << y).v == 168 and (x >> y).v == 10 and (~x).v == -43" (x, y, num))
end
if native64 and compile "local x <close> = nil" then
  local closed = assert(compile "local num = ... local kept do local c <close> = num(5) kept = c end return kept.v")(num)
  check(closed == -1)
  fails("non%-closable", assert(compile "local p = ... local c <close> = p"), point(1, 2))
end

-- Through a pointer and a reference it is the same metatype.
local array = ffi.new("mt_num[2]", { { 5 }, { 6 } })
local pointer = ffi.new("mt_num *", array)
check((array[1] - array[0]).v == 1)
check((pointer * 2).v == 10)
check(tostring(array[1]) == "num 6" and tostring(pointer) == "num 5")
check(pointer.other == "index other")
check(pointer("q") == 5)

-- Operations of the type itself come before metamethods: members, pointer arithmetic.
check((pointer + 1).v == 6)
check(pointer[1].v == 6)

-- __new
ffi.cdef [[ typedef struct { int lo, hi; } mt_range; ]]
local range = ffi.metatype("mt_range", {
  __new = function(ct, n) return ffi.new(ct, 1, n) end,
  __index = function(self, key)
    if type(key) == "number" then return self.lo + key end
    return "field " .. tostring(key)
  end,
})
local r = range(9)
check(r.lo == 1 and r.hi == 9 and ffi.istype(range, r))
check(r[5] == 6 and r.foo == "field foo")
check(ffi.new(range, 3).lo == 3, "ffi.new does not call __new")
check(range.constant == "field constant", "a ctype asks the metatype, too")

-- __index and __newindex may be tables, also with metatables of their own.
ffi.cdef [[ typedef struct { int q; } mt_table; ]]
local class = setmetatable({ one = 1 }, { __index = function(_, k) return k .. "!" end })
local slots = {}
local with_table = ffi.metatype("mt_table", { __index = class, __newindex = slots })()
check(with_table.one == 1 and with_table.two == "two!" and with_table.q == 0)
with_table.q = 5
with_table.extra = "kept"
check(with_table.q == 5 and slots.extra == "kept")
check(ffi.typeof("mt_table").one == 1)

-- __gc runs for what ffi.new and the ctype make, not for references.
ffi.cdef [[ typedef struct { int id; } mt_res; ]]
local released = {}
local res = ffi.metatype("mt_res", { __gc = function(o) released[#released + 1] = o.id end })
do
  local one, two = res(1), ffi.new("mt_res", 2)
  check(one.id == 1 and two.id == 2)
end
collect()
table.sort(released)
check(released[1] == 1 and released[2] == 2 and #released == 2)

-- pairs and ipairs
ffi.cdef [[ typedef struct { int n; } mt_iter; ]]
local iterable = ffi.metatype("mt_iter", {
  __pairs = function(self) return function(_, i) if i < self.n then return i + 1, i * i end end, self, 0 end,
})(3)
if pcall(pairs, iterable) then
  local sum = 0
  for i, square in pairs(iterable) do sum = sum + i * 10 + square end
  check(sum == 60 + 0 + 1 + 4)
end
if cdata_pairs then
  fails("'struct %d+' has no '__pairs' metamethod", pairs, a)
  fails("'int %[2%]' has no '__pairs' metamethod", pairs, ffi.new("int[2]"))
else
  fails("table expected, got ", pairs, a)
  fails("table expected, got ", pairs, ffi.new("int[2]"))
end

-- complex and vector types take a metatype; others do not.
ffi.metatype("complex float", { __add = function(p, q) return ffi.new("complex float", p.re + q.re, p.im + q.im) end })
local z = ffi.new("complex float", 1, 2) + ffi.new("complex float", 3, 4)
check(z.re == 4 and z.im == 6)
for _, ctype in ipairs { "int", "int *", "int[2]", "void", "mt_num *", "enum { MT_E }" } do
  fails("invalid C type", ffi.metatype, ctype, {})
end
fails("table expected", ffi.metatype, "struct { int unused; }", 5)

-- Names of a metatype, used again and again: more than there are fields, by value, by pointer and by a constant one.
do
  ffi.cdef [[ typedef struct { int v; } mt_names; ]]
  local index = {}
  for i = 1, 40 do index["m" .. i] = function(self) return self.v + i end end
  local metatable = { __index = index }
  local value = ffi.metatype("mt_names", metatable)(5)
  local array = ffi.new("mt_names[1]", { { 5 } })
  local all = { value, ffi.cast("mt_names *", value), ffi.cast("const mt_names *", value), array[0] }
  local function use(expected)
    for _ = 1, 3 do
      for _, one in ipairs(all) do
        for i = 1, 40 do check(one["m" .. i](one) == 5 + i) end
        check(one.extra == expected and one.v == 5)
      end
      collect()
    end
  end
  index.extra = "there"
  use "there"
  for _, one in ipairs(all) do
    check(not pcall(function() one.extra = 1 end) and not pcall(function() return one.nothing end))
  end
  -- LuaJIT asks that nothing of it is changed once it is a metatype.
  if ffi.scope then
    index.extra = 7
    use(7)
    index.extra = nil
    for _, one in ipairs(all) do fails("has no member named 'extra'", function() return one.extra end) end
    setmetatable(index, { __index = function(_, name) return name .. "!" end })
    use "extra!"
    metatable.__index = setmetatable({ extra = "new" }, { __index = index })
    use "new"
    metatable.__index = function(_, name) return index[name] end
    use "extra!"
    metatable.__index = index
    use "extra!"
    metatable.__index = nil
    for _, one in ipairs(all) do fails("has no member named 'extra'", function() return one.extra end) end
  end
end

-- A type that is completed later has its fields then.
do
  ffi.cdef [[ typedef struct mt_later mt_later; ]]
  local memory = ffi.new("int[2]", 11, 12)
  local later = ffi.cast("mt_later *", memory)
  ffi.metatype("mt_later", { __index = { first = "method", name = "other" } })
  for _ = 1, 3 do check(later.first == "method" and later.name == "other") end
  ffi.cdef [[ struct mt_later { int first, second; }; ]]
  for _ = 1, 3 do check(later.first == 11 and later.second == 12 and later.name == "other") end
end

-- The methods see errors of the script where it called.
ffi.cdef [[ typedef struct { int e; } mt_err; ]]
local err = ffi.metatype("mt_err", { __add = function() error("inside", 0) end, __index = function() error({ code = 5 }) end })()
for _ = 1, 3 do fails("^inside$", function() return err + 1 end) end
local ok, object = pcall(function() return err.anything end)
check(not ok and object.code == 5)

-- A metamethod may yield.
if metamethods_yield then
  ffi.cdef [[ typedef struct { int y; } mt_yield; ]]
  local yielding = ffi.metatype("mt_yield", {
    __add = function(_, k) return coroutine.yield(k) end,
    __index = function(_, k) return coroutine.yield(k) end,
  })()
  for _ = 1, 3 do
    local co = coroutine.wrap(function() return (yielding + 5) .. yielding.name end)
    check(co() == 5 and co("sum ") == "name" and co("member") == "sum member")
  end
end
