-- FFI Semantics: "Operations on cdata Objects", what holds for all of them
local ffi = require "ffi"

ffi.cdef [[
typedef struct { int v; } op_left;
typedef struct { int v; } op_right;
typedef struct { int x, y; } op_point;
typedef struct { complex z; complex float f; float v __attribute__((vector_size(16))); int n; } op_values;
typedef struct { int field; int values[2]; } op_fields;
typedef struct op_opaque op_opaque;
]]

-- "For binary operations, the left operand is checked first for a valid ctype metamethod."
local log = {}
local function noting(name) return function() log[#log + 1] = name return name end end
local left = ffi.metatype("op_left", { __add = noting "left add", __concat = noting "left concat", __lt = function() log[#log + 1] = "left lt" return true end })
local right = ffi.metatype("op_right", { __add = noting "right add", __sub = noting "right sub", __concat = noting "right concat" })
local a, b = left(1), right(2)
check(a + b == "left add")
check(b + a == "right add")
check(a - b == "right sub", "the right one, where the left has none")
check(b - a == "right sub")
check(a .. b == "left concat")
check(b .. a == "right concat")
check(a + 1 == "left add")
check(1 + a == "left add")
check("x" .. a == "left concat")
check(a .. "x" == "left concat")
check((a < left(2)) == true)
fails("attempt to perform arithmetic on 'struct %d+' and 'struct %d+'", function() return a * b end)
fails("attempt to compare 'struct %d+' with 'struct %d+'", function() return b < right(1) end)

-- "The pre-defined operations are always tried first."
local fields = ffi.metatype("op_fields", {
  __index = function(_, key) return "index " .. tostring(key) end,
  __newindex = function(self, key, value) self.field = 1000 end,
  __add = function() return "add" end,
  __len = function() return 7 end,
  __call = function(_, x) return x end,
  __unm = function() return "minus" end,
})
local f = fields(5)
check(f.field == 5, "a member comes before __index")
check(f.other == "index other")
check(f[3] == "index 3")
f.field = 6
check(f.field == 6, "a member comes before __newindex")
f.other = 1
check(f.field == 1000)
local pointer = ffi.new("op_fields *", f)
check(pointer.field == 1000)
check(pointer.other == "index other")
check(pointer[0].field == 1000, "indexing a pointer comes before __index")
check((pointer + 1) - pointer == 1, "pointer arithmetic comes before __add")
check(#pointer == 7)
check(pointer(5) == 5)
check(-f == "minus")
check(f + f == "add")
check(f.values[1] == 0)

-- References are dereferenced before every operation.
local array = ffi.new("op_fields[2]", { { 1 }, { 2 } })
local reference = array[1]
check(reference.field == 2)
check(reference + 1 == "add")
check(#reference == 7)
check(reference("call") == "call")
check(ffi.istype("op_fields", reference))
check(ffi.sizeof(reference) == ffi.sizeof "op_fields")
check(ffi.typeof "op_fields" ~= ffi.typeof(reference), "it is a reference all the same")

-- A ctype can be indexed: constants, then the metatype.
ffi.cdef "struct op_constants { static const int ONE = 1; enum { OP_TWO = 2 }; int v; };"
local constants = ffi.metatype("struct op_constants", { __index = { three = 3 } })
check(constants.ONE == 1)
check(constants.OP_TWO == 2)
check(constants.three == 3)
check(constants().three == 3)
check(constants().ONE == 1)
fails(".", function() return ffi.typeof("op_point").nothing end)
fails(".", function() return ffi.typeof("int").nothing end)
fails(".", function() ffi.typeof("op_point").x = 1 end)

-- "You cannot assign to foo.c.im, but you can assign a (newly created) complex number to foo.c."
local values = ffi.new "op_values"
fails("attempt to write to constant location", function() values.z.im = 1 end)
fails("attempt to write to constant location", function() values.v[0] = 1 end)
values.z = ffi.new("complex", 1, 2)
check(values.z.im == 2)
values.z = 5
check(values.z.re == 5)
check(values.z.im == 0)
values.f = ffi.new("complex", 0.5, 0.25)
check(values.f.im == 0.25)
local copy = values.z
values.z = ffi.new("complex", 7, 8)
check(copy.re == 5, "what was read is a value of its own")
values.v = ffi.new("float __attribute__((vector_size(16)))", 1, 2, 3, 4)
check(values.v[3] == 4)
values.v = 9
check(values.v[0] == 9)
check(values.v[3] == 9)
check(values.n == 0)
for _, index in ipairs { 0, 1, "re", "im", ffi.new("int", 1) } do
  check(type(values.z[index]) == "number", tostring(index):gsub("0x%x+", ""))
end
check(values.z[0] == 7)
check(values.z[ffi.new("int", 1)] == 8)

-- Members that are structs are assigned as a whole; arrays too.
ffi.cdef "typedef struct { op_point from, to; int list[3]; char name[4]; } op_segment;"
local segment = ffi.new "op_segment"
local point = ffi.new("op_point", 3, 4)
segment.from = point
point.x = 100
check(segment.from.x == 3)
segment.to = segment.from
check(segment.to.y == 4)
segment.to = { 5 }
check(segment.to.x == 5)
check(segment.to.y == 0)
segment.list = { 1, 2, 3 }
check(segment.list[2] == 3)
segment.list = ffi.new("int[3]", 7, 8, 9)
check(segment.list[0] == 7)
segment.name = "abc"
check(ffi.string(segment.name) == "abc")
local alias = segment.from
alias.x = 55
check(segment.from.x == 55, "a reference writes through")
fails("cannot convert 'struct %d+' to 'struct %d+'", function() segment.from = ffi.new "op_fields" end)
fails("cannot convert 'int' to 'struct %d+'", function() segment.from = ffi.new "int" end)
fails("cannot convert 'int %[2%]' to 'int %[3%]'", function() segment.list = ffi.new "int[2]" end)

-- Constructors: ctype(...) is ffi.new(ctype, ...).
local int = ffi.typeof "int"
check(num(int(5)) == 5)
check(num(int(int(6))) == 6)
check(num(int()) == 0)
check(ffi.typeof "int[2]"(1, 2)[1] == 2)
check(ffi.typeof "int[?]"(2, 7, 8)[1] == 8)
check(ffi.typeof "op_point"(1, 2).y == 2)
check(ffi.typeof "op_point" { y = 3 }.y == 3)
check(ffi.typeof "op_point"(point).y == 4, "a copy")
check(tostring(ffi.typeof "void *"(nil)) == "cdata<void *>: NULL")
fails("too many initializers", int, 1, 2)
fails("size of C type is unknown or too large", ffi.typeof "op_opaque")

-- Indices: any number that a cdata or Lua has; negative ones, too.
local row = ffi.new("int[4]", 10, 20, 30, 40) + 1
for _, t in ipairs { "int8_t", "uint8_t", "int16_t", "uint16_t", "int", "unsigned", "int64_t", "uint64_t", "long", "size_t" } do
  check(row[ffi.new(t, 2)] == 40, t)
  row[ffi.new(t, 1)] = 31
  check(row[1] == 31, t .. " written")
  row[1] = 30
end
check(row[-1] == 10)
check(row[ffi.new("int", -1)] == 10)
check(row[ffi.new("int64_t", -1)] == 10)
check((row + ffi.new("int64_t", -1))[0] == 10)
check((row - ffi.new("uint8_t", 1))[0] == 10)
