-- FFI Semantics: "Parameterized types": `$` in type texts
local ffi = require "ffi"

-- A type.
local point = ffi.typeof("struct { int x, y; }")
local segment = ffi.typeof("struct { $ from, to; }", point)
local s = segment({ 1, 2 }, { 3, 4 })
check(s.to.y == 4 and ffi.istype(point, s.to))
check(ffi.typeof("$ *", point) == ffi.typeof("$ *", point))
check(ffi.istype(ffi.typeof("$ *", point), ffi.new(ffi.typeof("$ *", point))))
local p = ffi.cast(ffi.typeof("$ *", point), s)
check(p.y == 2 and p[1].x == 3)
check(ffi.typeof("$[2]", ffi.typeof("int")) == ffi.typeof("int[2]"))
check(ffi.typeof("$(*)($)", ffi.typeof("int"), ffi.typeof("double")) ~= nil)

-- A cdata stands for its type.
check(ffi.sizeof(ffi.typeof("struct { $ a, b; }", ffi.new("int64_t"))) == 16)

-- A number.
check(ffi.sizeof(ffi.typeof("int[$]", 7)) == 28)
check(ffi.sizeof(ffi.typeof("int[$][$]", 2, 3)) == 24)
check(ffi.sizeof(ffi.typeof("$[$]", point, 4)) == 32)
for i = 1, 4 do
  check(ffi.sizeof(ffi.typeof("char[$]", i)) == i)
end

-- A name.
local named = ffi.typeof("struct { int $; double $; }", "count", "sum")
local n = named(3, 1.5)
check(n.count == 3 and n.sum == 1.5)

-- In cdef.
ffi.cdef("typedef $ prm_alias; typedef struct { $ v[$]; } prm_array;", point, ffi.typeof("int"), 5)
check(ffi.typeof("prm_alias") == point)
check(ffi.sizeof("prm_array") == 20)
ffi.cdef("struct $ { int $; };", "prm_struct", "member")
check(ffi.new("struct prm_struct", 9).member == 9)

-- The number of values.
fails(differs "declarations" and "'%$' without a value" or "wrong number of type parameters", ffi.typeof, "int[$]")
fails("wrong number of type parameters", ffi.typeof, "int", 5)
fails("wrong number of type parameters", ffi.typeof, point, 5)
fails("", ffi.typeof, "$ *", {})
fails("", ffi.typeof, "int[$]", {})
