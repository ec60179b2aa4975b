-- FFI Semantics: "Table Initializers", with the examples of the documentation
local ffi = require "ffi"

ffi.cdef [[
struct ti_foo { int a, b; };
union ti_bar { int i; double d; };
struct ti_nested { int x; struct ti_foo y; };
struct ti_deep { struct ti_nested n[2]; union ti_bar u; char name[8]; struct ti_foo *p; };
struct ti_array { int v[3]; int last; };
struct ti_anonymous { int tag; union { int i; float f; }; struct { short lo, hi; }; };
struct ti_bits { unsigned a : 4, b : 4; int c : 8; };
struct ti_padded { char c; double d; };
typedef struct { const char *name; int (*f)(int); bool flag; float ratio; enum { TI_OFF, TI_ON } state; } ti_mixed;
]]
local function ints(array, n)
  local t = {}
  for i = 0, n - 1 do t[i + 1] = ("%d"):format(num(array[i])) end
  return table.concat(t, " ")
end

-- Arrays.
for _, row in ipairs {
  { {}, "0 0 0", "{}" }, { { 1 }, "1 1 1", "{1}" }, { { 1, 2 }, "1 2 0", "{1,2}" }, { { 1, 2, 3 }, "1 2 3", "{1,2,3}" },
  { { [0] = 1 }, "1 1 1", "{[0]=1}" }, { { [0] = 1, 2 }, "1 2 0", "{[0]=1,2}" }, { { [0] = 1, 2, 3 }, "1 2 3", "{[0]=1,2,3}" },
  { { 1, nil, 3 }, "1 1 1", "stops at nil" }, { { [2] = 5 }, "0 0 0", "nothing at 0 or 1" }, { { x = 5 }, "0 0 0", "names are ignored" },
  { { 1.9, -1.9, true }, "1 -1 1", "values are converted" }, { { 1, 2, x = 7 }, "1 2 0", "other entries are ignored" },
  { { [0] = 0, 5 }, "0 5 0", "zero at 0" }, { { false, true }, "0 1 0", "false is a value" },
} do
  check(ints(ffi.new("int[3]", row[1]), 3) == row[2], row[3])
  check(ints(ffi.new("struct ti_array", { row[1] }).v, 3) == row[2], row[3] .. ", as a member")
  check(ints(ffi.new("struct ti_array", { v = row[1] }).v, 3) == row[2], row[3] .. ", as a named member")
  check(ints(ffi.new("int[2][3]", { row[1], { 7, 8, 9 } })[0], 3) == row[2], row[3] .. ", as a row")
  local array = ffi.new("struct ti_array", { { 9, 9, 9 }, 9 })
  array.v = row[1]
  check(ints(array.v, 3) == row[2], row[3] .. ", assigned")
  check(array.last == 9, row[3] .. ", neighbour")
end
for _, init in ipairs { { [0] = 1, 2, 3, 4 }, { 1, 2, 3, 4 } } do
  fails("too many initializers for 'int %[3%]'", ffi.new, "int[3]", init)
  fails("too many initializers for 'int %[3%]'", ffi.new, "struct ti_array", { v = init })
end
fails("cannot convert 'string' to 'int'", ffi.new, "int[3]", { "1" })
fails("cannot convert 'table' to 'int'", ffi.new, "int[3]", { {} })
fails("cannot convert 'string' to 'int'", ffi.new, "int[3]", { 1, 2, "3" })

-- Structs: by position.
for _, row in ipairs {
  { {}, 0, 0, "{}" }, { { 1 }, 1, 0, "{1}" }, { { 1, 2 }, 1, 2, "{1,2}" }, { { [0] = 1, 2 }, 1, 2, "{[0]=1,2}" }, { { b = 2 }, 0, 2, "{b=2}" },
  { { a = 1, b = 2, c = 3 }, 1, 2, "c is ignored" }, { { 1, 2, 3 }, 1, 2, "excess is ignored" }, { { 1, b = 5 }, 1, 0, "by position, names ignored" },
  { { [0] = 7, b = 5 }, 7, 0, "zero-based, names ignored" }, { { [2] = 5, a = 3 }, 3, 0, "by name" }, { { a = nil, b = 4 }, 0, 4, "nil" },
} do
  local s = ffi.new("struct ti_foo", row[1])
  check(s.a == row[2], row[4] .. " a")
  check(s.b == row[3], row[4] .. " b")
  local nested = ffi.new("struct ti_nested", { 5, row[1] })
  check(nested.x == 5, row[4] .. " x")
  check(nested.y.a == row[2], row[4] .. " y.a")
  check(nested.y.b == row[3], row[4] .. " y.b")
  nested = ffi.new("struct ti_nested", { x = 6, y = row[1] })
  check(nested.x == 6, row[4] .. " named x")
  check(nested.y.b == row[3], row[4] .. " named y.b")
  local array = ffi.new("struct ti_foo[2]", { { 8, 9 }, row[1] })
  check(array[1].a == row[2], row[4] .. " element a")
  check(array[1].b == row[3], row[4] .. " element b")
  array[0] = row[1]
  check(array[0].a == row[2], row[4] .. " assigned a")
  check(array[0].b == row[3], row[4] .. " assigned b")
end

-- Unions: one member.
local u = ffi.new("union ti_bar", {})
check(u.i == 0)
check(u.d == 0)
check(ffi.new("union ti_bar", { 1 }).i == 1)
check(ffi.new("union ti_bar", { [0] = 1, 2 }).i == 1, "2 is ignored")
check(ffi.new("union ti_bar", { d = 2 }).d == 2)
check(ffi.new("union ti_bar", { i = 3 }).i == 3)
check(ffi.new("union ti_bar", { nothing = 3 }).d == 0)

-- Transparent members count as the record's own.
local t = ffi.new("struct ti_anonymous", { 1, 2, 3, 4 })
check(t.tag == 1)
check(t.i == 2)
check(t.lo == 3)
check(t.hi == 4)
t = ffi.new("struct ti_anonymous", { tag = 5, f = 1, hi = 6 })
check(t.tag == 5)
check(t.i == 0x3f800000)
check(t.lo == 0)
check(t.hi == 6)

-- Everything nested in everything.
local foo = ffi.new("struct ti_foo", 70, 71)
local deep = ffi.new("struct ti_deep", {
  n = { { 1, { 2, 3 } }, { x = 4, y = foo } },
  u = { d = 0.5 },
  name = "deep",
  p = foo,
})
check(deep.n[0].y.b == 3)
check(deep.n[1].x == 4)
check(deep.n[1].y.a == 70)
check(deep.u.d == 0.5)
check(ffi.string(deep.name) == "deep")
check(deep.p.b == 71)
deep = ffi.new("struct ti_deep", { { { 1 } }, { 9 }, "x", nil })
check(deep.n[1].x == 1, "one element is repeated")
check(deep.u.i == 9)
check(ffi.string(deep.name) == "x")
check(tostring(deep.p):find "NULL$")
local name = ffi.new("struct ti_deep", { name = { 65, 66 } }).name
check(ffi.string(name) == "AB")

-- Bit-fields, padding, mixed members.
local b = ffi.new("struct ti_bits", { 3, 17, -5 })
check(b.a == 3)
check(b.b == 1, "cut to its width")
check(b.c == -5)
b = ffi.new("struct ti_bits", { c = 7, b = 2 })
check(b.a == 0)
check(b.b == 2)
check(b.c == 7)
local padded = ffi.new("struct ti_padded", { 1, 2 })
for i = 1, 7 do check(ffi.cast("char *", padded)[i] == 0, "padding " .. i) end
ffi.cdef "int abs(int);"
local text = apart and ffi.new("char[5]", "text") or "text"
local mixed = ffi.new("ti_mixed", { text, ffi.C.abs, true, 0.5, "TI_ON" })
check(ffi.string(mixed.name) == "text")
check(mixed.f(-4) == 4)
check(mixed.flag == true)
check(mixed.ratio == 0.5)
check(num(mixed.state) == 1)
mixed = ffi.new("ti_mixed", { ratio = 2, state = 0, flag = false })
check(mixed.ratio == 2)
check(num(mixed.state) == 0)
check(mixed.flag == false)
fails("cannot convert 'string' to 'enum %d+'", ffi.new, "ti_mixed", { state = "TI_NEITHER" })
fails("cannot convert 'table' to 'const char %*'", ffi.new, "ti_mixed", { {} })

-- The table is only read, and may have a metatable.
local proxy = setmetatable({ a = 10 }, { __index = function(_, k) return k == "b" and 12 or nil end })
check(ffi.new("struct ti_foo", proxy).a == 10)
local source = { 1, 2, x = "kept" }
ffi.new("int[3]", source)
check(#source == 2)
check(source.x == "kept")

-- VLAs and VLSs.
check(ints(ffi.new("int[?]", 3, { 1, 2, 3 }), 3) == "1 2 3")
check(ints(ffi.new("int[?]", 2, { [0] = 4, 5 }), 2) == "4 5")
if differs "vla-fill" then fails("too many initializers", ffi.new, "int[?]", 2, { 1, 2, 3 }) end
check(ffi.new("struct { int n; int v[?]; }", 4, { 3 }).n == 3)

-- The work is bounded by the bytes of the object, however often a table has itself.
local doubled = {}
for _ = 1, 60 do doubled = { doubled, doubled } end
fails("too many initializers", ffi.new, "char" .. ("[2]"):rep(60) .. "[0]", doubled)
fails("too many initializers", ffi.new, "char[1000000000][0]", { { 1 } })
local itself = {}
itself[1], itself[2] = itself, itself
fails("cannot convert 'table' to 'int'", ffi.new, "int[2][2]", itself)
local empty = { "struct in_z0 {};" }
for i = 1, 60 do empty[#empty + 1] = ("struct in_z%d { struct in_z%d a, b; };"):format(i, i - 1) end
ffi.cdef(table.concat(empty))
if cthunk then -- in LuaJIT each of the 2^60 structs of no bytes is looked at
  check(ffi.sizeof(ffi.new("struct in_z60", doubled)) == 0)
  check(ffi.sizeof(ffi.new("struct in_z60", itself)) == 0)
  check(ffi.new("struct { struct in_z60 none; int x; }[2]", { { itself, 1 }, { doubled, 2 } })[1].x == 2)
end
