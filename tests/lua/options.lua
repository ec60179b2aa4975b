-- `ffi.option`: NULL as nil, LuaJIT's cdata for 64-bit integers and enums.
local ffi = require "ffi"
local cthunk = jit == nil

-- In every program NULL is cdata until the program chooses otherwise.
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
fails("bad argument #1.*one of 'null', 'int64', 'uint64', 'enum', 'traceback', 'foreign', 'functions', 'varargs', 'wide', 'longdouble', 'redeclare' expected, got 'nil'", ffi.option, "nil")
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

-- A NULL that the program itself makes stays a pointer.
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
  fails("no 64%-bit integers", ffi.option, "uint64", "number")
end

-- Unsigned ones: fields, elements, bit-fields, results, arguments of callbacks, variables' constants.
if ffi.option "uint64" == "number" then
  ffi.cdef [[
  typedef struct { uint64_t wide; uint64_t bits : 40; size_t items[2]; uintptr_t address; } option_unsigned;
  size_t strlen(const char *text);
  unsigned long long strtoull(const char *text, char **end, int base);
  void *bsearch(const void *key, const void *base, size_t count, size_t size, int (*compare)(uintptr_t a, uintptr_t b));
  ]]
  local C, value = ffi.C, ffi.new("option_unsigned", { 5, 6, { 7, 8 }, 9 })
  local function arguments(key)
    local got
    C.bsearch(key, ffi.cast("void *", 1), 1, 1, function(a)
      got = a
      return 0
    end)
    return got
  end
  local minus_one = ffi.cast("void *", -1)
  for _ = 1, 3 do -- on the fast path, too
    assert(value.wide == 5 and value.bits == 6 and value.items[1] == 8 and value.address == 9)
    assert(math.type(C.strlen "hello") == "integer" and ("x"):rep(C.strlen "abc") == "xxx" and ("abcdef"):sub(1, C.strlen "ab") == "ab")
    assert(C.strtoull("9223372036854775807", nil, 10) == math.maxinteger)
    assert(tostring(C.strtoull("9223372036854775808", nil, 10)) == "9223372036854775808ULL")
    assert(arguments(ffi.cast("void *", 77)) == 77 and tostring(arguments(minus_one)) == (ffi.abi "64bit" and "18446744073709551615ULL" or "4294967295"))
    assert(ffi.eval "sizeof(int)" == 4 and tostring(ffi.eval "~0ULL") == "18446744073709551615ULL")
    assert(ffi.toretval(ffi.new("uint64_t", 5)) == 5)
  end
  ffi.option("uint64", "cdata")
  local suffix = ffi.abi "64bit" and "ULL" or "" -- of size_t and uintptr_t
  assert(tostring(value.wide) == "5ULL" and tostring(value.bits) == "6ULL" and tostring(value.items[1]) == "8" .. suffix)
  assert(tostring(arguments(ffi.cast("void *", 77))) == "77" .. suffix and tostring(ffi.eval "sizeof(int)") == "4" .. suffix)
  ffi.cdef 'size_t measure(const char *text) __asm__("strlen");'
  assert(tostring(C.measure "hello") == "5" .. suffix and value.wide + 1 == ffi.new("uint64_t", 6))
  ffi.option("uint64", "number")
  assert(value.wide == 5)
end

-- Functions compared by the number of their parameters; structs in `...` by their address.
do
  ffi.cdef "int snprintf(char *, size_t, const char *, ...);"
  local double = ffi.cast("double (*)(double)", 16)
  fails("cannot convert", ffi.new, "int (*)(int)", double)
  ffi.option("functions", "count")
  assert(ffi.new("int (*)(int)", double) ~= nil)
  fails("cannot convert", ffi.new, "int (*)(int, int)", double)
  ffi.option("functions", "types")
  local buffer, text = ffi.new "char[64]", ffi.new("struct { char text[8]; }", { "inside" })
  ffi.option("varargs", "luajit")
  for _ = 1, 3 do
    ffi.C.snprintf(buffer, 64, "%s", text)
    assert(ffi.string(buffer) == "inside")
  end
  ffi.option("varargs", "c")
  ffi.C.snprintf(buffer, 64, "%.3s", ffi.addressof(text))
  assert(ffi.string(buffer) == "ins")
end
