-- ffi.scope: two modules declare the same name differently.
local ffi = require "ffi"
if jit then return end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, expected: " .. pattern)
  assert(tostring(message):find(pattern), tostring(message) .. " (expected: " .. pattern .. ")")
end

ffi.cdef [[
  typedef struct scope_point { int x, y; } scope_point;
  struct scope_opaque;
  enum scope_color { SCOPE_RED = 1 };
  typedef int scope_number;
  int abs(int);
  static const int SCOPE_LIMIT = 10;
]]

-- Two scopes, the same names.
local a, b = ffi.scope(), ffi.scope()
assert(a ~= ffi and a ~= b and a.C ~= ffi.C and type(a.cdef) == "function")
a.cdef "struct scope_buffer { int length; }; typedef struct scope_buffer buffer; enum { SCOPE_VALUE = 1 };"
b.cdef "struct scope_buffer { double start, stop; }; typedef struct scope_buffer *buffer; enum { SCOPE_VALUE = 2 };"
assert(a.sizeof "struct scope_buffer" == 4 and b.sizeof "struct scope_buffer" == 16)
assert(a.sizeof "buffer" == 4 and b.sizeof "buffer" == ffi.sizeof "void *")
assert(a.C.SCOPE_VALUE == 1 and b.C.SCOPE_VALUE == 2)
assert(a.new("struct scope_buffer", 5).length == 5)
assert(b.new("struct scope_buffer", 5).start == 5)
assert(a.typeof "struct scope_buffer" ~= b.typeof "struct scope_buffer")
assert(not a.istype("struct scope_buffer", b.new "struct scope_buffer"))
fails("cannot convert", b.new, "struct scope_buffer *", a.new "struct scope_buffer")
fails("buffer", ffi.typeof, "buffer")
fails("missing declaration for symbol 'SCOPE_VALUE'", function() return ffi.C.SCOPE_VALUE end)

-- A function declared with two types, each called as declared.
a.cdef "int scope_strlen(const char *) __asm__(\"strlen\");"
b.cdef "double scope_strlen(double) __asm__(\"fabs\");"
assert(a.C.scope_strlen "four" == 4 and b.C.scope_strlen(-1.5) == 1.5)
assert(a.info("scope_strlen").result == ffi.typeof "int" and b.info("scope_strlen").symbol == "fabs")
fails("scope_strlen", ffi.info, "scope_strlen")

-- A scope sees the types of the outer scope, and they are the same types.
assert(a.typeof "scope_point" == ffi.typeof "scope_point")
assert(a.C.abs(-3) == 3 and b.C.SCOPE_LIMIT == 10 and b.C.SCOPE_RED == 1)
assert(a.eval "SCOPE_LIMIT + SCOPE_VALUE" == 11 and b.eval "SCOPE_LIMIT + SCOPE_VALUE" == 12)
a.cdef "struct scope_uses { scope_point p; struct scope_point *q; };"
assert(a.sizeof "struct scope_uses" == (ffi.abi "64bit" and 16 or 12))
local point = ffi.new("scope_point", 3, 4)
local uses = a.new("struct scope_uses", { point, point })
assert(uses.q.y == 4 and ffi.istype("scope_point", uses.p))
-- Later declarations outside are seen too.
ffi.cdef "typedef short scope_late;"
assert(a.sizeof "scope_late" == 2)

-- Hiding: a name that was used before, then declared inside.
assert(a.sizeof "scope_number" == 4)
a.cdef "typedef double scope_number;"
assert(a.sizeof "scope_number" == 8 and ffi.sizeof "scope_number" == 4)
a.cdef "struct scope_opaque { char text[3]; };"
assert(a.sizeof "struct scope_opaque" == 3 and ffi.sizeof "struct scope_opaque" == nil)
a.cdef "enum scope_color { SCOPE_RED = 5 }; static const int SCOPE_LIMIT = 20;"
-- A namespace keeps what it has given out.
b.cdef "static const int SCOPE_LIMIT = 30;"
assert(b.C.SCOPE_LIMIT == 10 and b.eval "SCOPE_LIMIT" == 30)
assert(a.C.SCOPE_RED == 5 and ffi.C.SCOPE_RED == 1 and a.C.SCOPE_LIMIT == 20)
assert(ffi.new("enum scope_color", "SCOPE_RED") ~= a.new("enum scope_color", "SCOPE_RED"))
-- A tag without a body is the outer one.
a.cdef "typedef struct scope_point *scope_ref;"
assert(a.typeof "scope_ref" == ffi.typeof "struct scope_point *")
-- Within one scope, a conflict is one.
fails("conflicting", a.cdef, "struct scope_buffer { char c; };")
a.cdef "struct scope_buffer { int length; };"

-- A failed text changes nothing.
fails("expected", a.cdef, "typedef char scope_failed; struct scope_failed_s { int x; }; typedef 5;")
fails("scope_failed", a.typeof, "scope_failed")
assert(a.sizeof "struct scope_buffer" == 4)

-- Scopes inside scopes.
local inner = a.scope()
assert(inner.sizeof "struct scope_buffer" == 4 and inner.sizeof "scope_point" == 8)
inner.cdef "struct scope_buffer { char c; }; typedef float scope_number;"
assert(inner.sizeof "struct scope_buffer" == 1 and a.sizeof "struct scope_buffer" == 4)
assert(inner.sizeof "scope_number" == 4 and a.sizeof "scope_number" == 8)
a.cdef "typedef struct { char c[7]; } scope_seven;"
assert(inner.sizeof "scope_seven" == 7)
fails("scope_seven", b.typeof, "scope_seven")

-- Metatypes are the type's: everywhere.
a.metatype("struct scope_buffer", { __index = { double = function(self) return self.length * 2 end } })
assert(a.new("struct scope_buffer", 21):double() == 42)
fails("no member named 'double'", function() return b.new("struct scope_buffer"):double() end)
local plain = ffi.metatype("scope_point", { __len = function(p) return p.x + p.y end })
assert(#a.new("scope_point", 1, 2) == 3 and #plain(3, 4) == 7)

-- ctypes and values go where they like.
local ct = b.typeof "struct scope_buffer"
assert(ffi.sizeof(ct) == 16 and a.new(ct, 1, 2).stop == 2 and ffi.cast(b.typeof "buffer", 0) == ffi.NULL)
assert(ffi.typeof("$ *", ct) == b.typeof "struct scope_buffer *")

-- Libraries belong to the scope that loaded them.
local mathematics = apart and TESTLIB or "m"
local m = b.load(mathematics)
b.cdef "double cos(double);"
assert(m.cos(0) == 1)
fails("missing declaration", function() return ffi.load(mathematics).scope_undeclared end)

-- Scopes are collected; what came from them stays good.
local kept = setmetatable({}, { __mode = "v" })
do
  local short = ffi.scope()
  short.cdef "struct scope_short { int n; }; double fabs(double); int scope_abs(int) __asm__(\"abs\");"
  kept.scope = short
  kept_value, kept_type, kept_function = short.new("struct scope_short", 9), short.typeof "struct scope_short", short.C.scope_abs
  kept_inner = short.scope()
end
collectgarbage() collectgarbage()
if _VERSION ~= "Luau" then assert(kept.scope == nil) end
assert(kept_value.n == 9 and kept_type(8).n == 8 and kept_function(-7) == 7)
-- An inner scope keeps the outer names.
assert(kept_inner.sizeof "struct scope_short" == 4 and kept_inner.C.fabs(-2) == 2)
kept_value, kept_type, kept_function, kept_inner = nil, nil, nil, nil
collectgarbage() collectgarbage()
for i = 1, 200 do
  local scope = ffi.scope()
  scope.cdef("struct scope_many { char bytes[" .. i .. "]; };")
  assert(scope.sizeof "struct scope_many" == i)
end
collectgarbage() collectgarbage()
fails("scope_many", function() return ffi.new("struct scope_many") end)
assert(select("#", ffi.scope(1, 2, 3)) == 1)
