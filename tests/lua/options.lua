-- `ffi.option`: NULL as nil, LuaJIT's cdata for 64-bit integers and enums.
local ffi = require "ffi"
local cthunk = jit == nil

-- What holds everywhere: NULL is cdata until a program chooses otherwise.
ffi.cdef [[
  struct option_node { struct option_node *next; int64_t big; enum option_color { OPTION_RED, OPTION_GREEN } color; };
  char *getenv(const char *name);
  long long llabs(long long n);
  double strtod(const char *text, char **end);
]]
local node = ffi.new("struct option_node", { big = 5, color = "OPTION_GREEN" })
assert(tostring(node.next) == "cdata<struct option_node *>: NULL")
assert(tostring(ffi.C.getenv "OPTION_NOT_SET") == "cdata<char *>: NULL")

if not cthunk then return end

local function fails(pattern, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, "no error, expected: " .. pattern)
  assert(tostring(message):find(pattern), tostring(message) .. " (expected: " .. pattern .. ")")
end

-- An option answers with the value before.
assert(ffi.option "null" == "cdata")
assert(ffi.option("null", "nil") == "cdata")
assert(ffi.option "null" == "nil")
assert(ffi.option("null", "nil") == "nil")
fails("bad argument #1.*one of 'null', 'int64', 'enum', 'foreign', 'redeclare' expected, got 'nil'", ffi.option, "nil")
fails("bad argument #1.*got no value", ffi.option)
fails("bad argument #2.*one of 'cdata', 'nil' expected, got 'NULL'", ffi.option, "null", "NULL")
fails("bad argument #2.*got boolean", ffi.option, "null", true)

-- NULL as nil: fields, elements, results of functions that were looked up before too, callbacks' arguments.
assert(node.next == nil and not node.next)
assert(ffi.new("char *[2]")[1] == nil)
assert(ffi.C.getenv "OPTION_NOT_SET" == nil)
assert(ffi.C.getenv "PATH" ~= nil)
local cb = ffi.cast("void *(*)(void *)", function(p)
  assert(p == nil)
  return p
end)
assert(cb(nil) == nil)
assert(ffi.toretval(ffi.nullptr) == nil)
cb:free()
node.next = node
assert(num(node.next.next.big) == 5)
node.next = nil
assert(node.next == nil)

-- What a program makes itself stays a pointer.
assert(ffi.type(ffi.new("char *")) == "cdata")
assert(ffi.type(ffi.cast("void *", 0)) == "cdata")
assert(ffi.type(ffi.NULL) == "cdata")

-- nil goes where NULL goes.
assert(ffi.gc(nil, function() error "never" end) == nil)
assert(ffi.C.strtod("1.5", nil) == 1.5)
ffi.option("null", "cdata")
assert(ffi.type(node.next) == "cdata")
fails("bad argument #1", ffi.gc, nil, print)

-- Enums as cdata, which LuaJIT compares with names.
assert(node.color == 1)
ffi.option("enum", "cdata")
assert(tostring(node.color) == "cdata<enum option_color>: 1")
assert(node.color == ffi.cast("enum option_color", "OPTION_GREEN"))
assert(ffi.C.OPTION_GREEN == 1)
ffi.option("enum", "number")
assert(node.color == 1)

-- 64-bit integers as cdata: C's arithmetic.
if ffi.option "int64" == "number" then
  assert(node.big / 2 == 2.5)
  ffi.option("int64", "cdata")
  assert(tostring(node.big) == "5LL" and tostring(node.big / 2) == "2LL")
  assert(tostring(ffi.new("int64_t[1]", -3)[0]) == "-3LL")
  assert(tostring(ffi.C.llabs(-3)) == "3LL")
  ffi.option("int64", "number")
  assert(node.big == 5)
else
  fails("no 64%-bit integers", ffi.option, "int64", "number")
end
