-- A mistake of a script is an error that says what is wrong and where; the program goes on. LuaJIT's documentation: "No
-- Hand-holding!" Mistakes that crash LuaJIT stand under `differs`.
local ffi = require "ffi"
local T = ffi.load(TESTLIB)

ffi.cdef [[
struct mk_point { int x, y; };
struct mk_node { struct mk_node *next; const int fixed; enum mk_color { MK_RED, MK_GREEN } color; int values[3]; };
struct mk_opaque;
union mk_word { int i; float f; };
int t_each(int n, int (*f)(int));
int t_i32(int x) __asm__("t_i32");
const char *t_str(const char *);
int t_count_calls(int n, int (*f)(int));
void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
int mk_missing(int);
typedef int (*mk_unary)(int);
typedef int mk_row[3];
]]
local function get(value, key) return value[key] end
local function set(value, key, new) value[key] = new end
local function call(f, ...) return f(...) end
local node = ffi.new "struct mk_node"
local point = ffi.new("struct mk_point", 1, 2)

-- Errors name the member, an enum's constants, and what is nearly right.
if differs "error-hints" then
  ffi.cdef "struct mk_line { struct mk_point from, to; }; enum mk_wide { MK_ALL = 0xffffffffffffffff };"
  fails("cannot convert 'table' to 'int' %(member 'x' of 'struct mk_point'%)", set, point, "x", {})
  fails("no constant 'MK_REDD' among MK_RED, MK_GREEN; did you mean 'MK_RED'%? %(member 'color' of 'struct mk_node'%)", set, node, "color", "MK_REDD")
  fails("no constant 'BLUE' among MK_RED, MK_GREEN", ffi.new, "enum mk_color", "BLUE")
  fails("'struct mk_node' has no member named 'valuess'; did you mean 'values'%?", get, node, "valuess")
  fails("%(member 'y' of 'struct mk_point'%)", ffi.new, "struct mk_point", 1, {})
  fails("%(member 'x' of 'struct mk_point'%) %(member 'to' of 'struct mk_line'%)", ffi.new, "struct mk_line", { to = { x = "a" } })
  fails("missing declaration for symbol 'mk_mising'; did you mean 'mk_missing'%?", get, ffi.C, "mk_mising")
  fails("did you mean 'mk_point'", ffi.new, "struct mk_pont")
  fails("did you mean 'int64'%?", ffi.option, "int46")
  fails("did you mean 'size_t'%?", ffi.typeof, "sizet")
  fails("declare it first: 'typedef long off_t;'", ffi.cdef, "off_t lseek(int, off_t, int);")
  check(tostring(ffi.new("enum mk_wide", "MK_ALL")) == "cdata<enum mk_wide>: 18446744073709551615")
  check(tostring(ffi.info("enum mk_wide").constants[1].value) == "18446744073709551615ULL")
end

-- NULL: read, written, called, copied, filled, printed as a string.
if differs "null-access" then
  local null = ffi.new "struct mk_node *"
  fails("attempt to dereference a NULL pointer of type 'struct mk_node %*'", get, null, "next")
  fails("NULL pointer of type 'struct mk_node %*'", get, null, "color")
  fails("NULL pointer of type 'struct mk_node %*'", get, null, 0)
  fails("NULL pointer of type 'struct mk_node %*'", set, null, "color", 1)
  fails("NULL pointer of type 'struct mk_node %*'", function() return node.next.next end)
  fails("NULL pointer of type 'int %*'", set, ffi.new "int *", 0, 1)
  fails("NULL pointer of type 'char %*'", get, ffi.new "char *", 100)
  fails("attempt to call a NULL pointer of type 'int %(%*%)%(int%)'", call, ffi.new "mk_unary", 1)
  fails("NULL pointer", ffi.string, ffi.new "char *")
  fails("NULL pointer", ffi.string, nil)
  fails("NULL pointer", ffi.copy, nil, "text")
  fails("NULL pointer", ffi.copy, point, nil, 4)
  fails("NULL pointer", ffi.fill, ffi.new "void *", 8)
  fails("NULL reference to 'struct mk_point'", ffi.cast, "struct mk_point &", nil)
end

-- A callback after its end.
local freed = ffi.cast("mk_unary", function(x) return x end)
freed:free()
if differs "freed-callbacks" then
  fails("attempt to call a callback after it was freed", call, freed, 1)
  fails("callback 'int %(int%)' was called after it was freed", T.t_each, 1, freed)
  fails("already freed", function() freed:free() end)
  fails("already freed", function() freed:set(print) end)
end
fails("callback", function() ffi.cast("mk_unary", 64):free() end)
fails("has no member named 'close'", function() freed:close() end)

-- Incomplete types: no value, no element, no size.
local opaque = ffi.cast("struct mk_opaque *", point)
for _, ctype in ipairs { "struct mk_opaque", "void", "int[]", "int(int)", "struct mk_opaque[2]" } do
  fails(ctype:find "2" and "." or "size of C type is unknown or too large", ffi.new, ctype)
end
check(ffi.sizeof "struct mk_opaque" == nil)
fails("size of C type is unknown or too large", get, opaque, 0)
fails("size of C type is unknown or too large", set, opaque, 1, 5)
fails("has no member named 'x'", get, opaque, "x")
fails("attempt to perform arithmetic on 'struct mk_opaque %*' and 'number'", function() return opaque + 1 end)
fails("attempt to perform arithmetic on 'void %*' and 'number'", function() return ffi.cast("void *", point) - 1 end)

-- Initialisers that do not fit.
for _, row in ipairs {
  { "int", {}, "cannot convert 'table' to 'int'" }, { "int", "5", "cannot convert 'string' to 'int'" },
  { "int", print, "cannot convert 'function' to 'int'" }, { "int *", 5, "cannot convert 'number' to 'int %*'" },
  { "int *", "text", "cannot convert 'string' to 'int %*'" }, { "char *", "text", "cannot convert 'string' to 'char %*'" },
  { "int[2]", { 1, 2, 3 }, "too many initializers for 'int %[2%]'" }, { "short[2]", "ab", "cannot convert 'string' to 'short %[2%]'" },
  { "struct mk_point", { "x" }, "cannot convert 'string' to 'int'" }, { "struct mk_point", { x = {} }, "cannot convert 'table' to 'int'" },
  { "struct mk_point", ffi.new "int *", "cannot convert 'int %*' to 'int'" }, { "struct mk_point", print, "cannot convert 'function' to 'int'" },
  { "enum mk_color", "MK_BLUE", "cannot convert 'string' to 'enum mk_color'" }, { "enum mk_color", {}, "cannot convert 'table' to 'enum mk_color'" },
  { "mk_unary", 5, "cannot convert 'number' to 'int %(%*%)%(" }, { "mk_unary", {}, "cannot convert 'table' to 'int %(%*%)%(" },
  { "struct mk_node *", point, "cannot convert 'struct mk_point' to 'struct mk_node %*'" }, { "bool", "true", "cannot convert 'string' to 'bool'" },
  { "double", {}, "cannot convert 'table' to 'double'" }, { "complex", "1", "cannot convert 'string' to 'complex'" },
  { "union mk_word", { f = "x" }, "cannot convert 'string' to 'float'" }, { "int64_t", "5", "cannot convert 'string' to 'int64_t'" },
  { "uint8_t", coroutine.create(function() end), "cannot convert 'thread' to 'unsigned char'" },
  { "void *", {}, "cannot convert 'table' to 'void %*'" }, { "void *", 1, "cannot convert 'number' to 'void %*'" },
} do
  fails(row[3], ffi.new, row[1], row[2])
end
fails("too many initializers for 'int'", ffi.new, "int", 1, 2)
fails("too many initializers for 'struct mk_point'", ffi.new, "struct mk_point", 1, 2, 3)
fails("too many initializers for 'union mk_word'", ffi.new, "union mk_word", 1, 2)
fails("invalid C type", ffi.cast, "struct mk_point", 5)
fails("invalid C type", ffi.cast, "int[2]", 5)
fails("cannot convert 'table' to 'int %*'", ffi.cast, "int *", {})

-- Indexes that lead nowhere.
fails("'int' cannot be indexed with 'number'", get, ffi.new "int", 0)
fails("'int' cannot be indexed with 'number'", set, ffi.new "int", 0, 1)
fails("'double' has no member named 'x'", get, ffi.new "double", "x")
fails("'int64_t' cannot be indexed with 'number'", get, ffi.new "int64_t", 0)
fails("'struct mk_point' has no member named 'z'", get, point, "z")
fails("'struct mk_point' has no member named 'z'", set, point, "z", 1)
fails("'struct mk_point' cannot be indexed with 'number'", get, point, 0)
fails("'struct mk_point' cannot be indexed with 'table'", get, point, {})
fails("'int %[3%]' has no member named 'length'", get, node.values, "length")
fails("'int %[3%]' cannot be indexed with 'nil'", get, node.values, nil)
fails("'int %[3%]' cannot be indexed with 'boolean'", get, node.values, true)
fails("'int %[3%]' cannot be indexed with 'double'", get, node.values, ffi.new("double", 1))
fails("cannot convert 'string' to 'int'", set, node.values, 0, "1")

-- Enum names, constants, const.
fails("cannot convert 'string' to 'enum mk_color'", set, node, "color", "MK_BLUE")
node.color = "MK_GREEN"
check(num(node.color) == 1)
fails("attempt to write to constant location", set, node, "fixed", 1)
fails("attempt to write to constant location", set, ffi.new "const int[2]", 0, 1)
fails("attempt to write to constant location", set, ffi.cast("const struct mk_point *", point), "x", 1)
fails("attempt to write to constant location", set, ffi.C, "MK_RED", 1)
fails("attempt to write to constant location", set, ffi.new("complex", 1), "re", 1)
check(point.x == 1)

-- Calls: what cannot be called, how many arguments, and which.
fails("'int' is not callable", call, ffi.new "int")
fails("'struct mk_point' is not callable", call, point)
fails("'int %[3%]' is not callable", call, node.values)
fails("wrong number of arguments", T.t_i32, 1, 2)
fails("wrong number of arguments", T.t_i32, 1, 2, 3, 4, 5, 6, 7, 8)
fails("cannot convert 'table' to 'int'", T.t_i32, {})
fails("cannot convert 'nil' to 'int'", T.t_i32, nil)
fails("cannot convert 'number' to 'const char %*'", T.t_str, 5)
fails("cannot convert 'struct mk_point' to 'int'", T.t_i32, point)
if differs "argument-errors" then
  fails("bad argument #1 to 't_i32' %('int' expected, got no value%)", T.t_i32)
  fails("wrong number of arguments to 't_i32' %(1 expected, got 2%)", T.t_i32, 1, 2)
  fails("bad argument #2 to 't_each' %(cannot convert 'table' to 'int %(%*%)%(int%)'%)", T.t_each, 1, {})
end
fails("missing declaration for symbol 'mk_nobody'", get, T, "mk_nobody")
fails("mk_missing", get, T, "mk_missing")
fails("mk_missing", get, ffi.C, "mk_missing")

-- Sizes: negative, too large for a value, too large for the machine.
for _, size in ipairs { -1, -2 ^ 40, 2 ^ 62, 2 ^ 63, 1e300 } do
  fails(".", ffi.new, "char[?]", size)
end
fails("size of C type is unknown or too large", ffi.new, "int[?]", -1)
fails(".", ffi.new, "int[100000000000000000]")
fails(".", ffi.typeof, "char[0x7fffffffffffffff][0x7fffffff]")
fails(".", ffi.new, "char[?]")
fails(".", ffi.new, "char[?]", {})
fails(".", ffi.new, "char[?]", "many")
if differs "string-bounds" then
  local huge = (apart or ffi.abi "64bit") and "not enough memory for a value of 4611686018427387904 bytes" or "too large"
  fails(huge, ffi.new, "char[?]", 2 ^ 62)
  fails("size of C type is unknown or too large", ffi.new, "double[?]", 2 ^ 61)
  fails("out of range", ffi.string, node, -1)
  fails("out of range", ffi.fill, point, -1)
  fails("out of range", ffi.copy, point, point, -1)
end

-- Declarations: deep, endless, recursive.
fails(".", ffi.typeof, ("struct { "):rep(300) .. "int x;" .. (" } m;"):rep(300))
fails(".", ffi.typeof, "int" .. ("("):rep(300) .. ("*"):rep(3) .. (")"):rep(300))
fails(".", ffi.typeof, "int[" .. ("("):rep(100000) .. "1")
fails(".", ffi.cdef, "struct mk_self { struct mk_self inner; };")
fails(".", ffi.cdef, "struct mk_a { struct mk_b b; }; struct mk_b { struct mk_a a; };")
fails(".", ffi.cdef, "typedef mk_loop mk_loop;")
fails(".", ffi.cdef, "struct mk_point { int other; };")
fails(".", ffi.cdef, "enum mk_color { MK_OTHER };")
check(ffi.sizeof("int" .. ("*"):rep(50)) == ffi.sizeof "void *")

-- Arguments of the library's own functions.
for _, f in ipairs { "cdef", "new", "typeof", "cast", "sizeof", "alignof", "offsetof", "istype", "string", "copy", "fill", "gc", "metatype", "load", "abi" } do
  fails("bad argument #1", ffi[f])
  if f ~= "string" and f ~= "copy" and f ~= "fill" then fails("bad argument #1.- %(.* expected, got ", ffi[f], f == "gc" and 5 or {}) end
end
fails("bad argument #2", ffi.offsetof, "struct mk_point")
fails("bad argument #2", ffi.istype, "int")
fails("bad argument #2", ffi.gc, point)
fails("bad argument #2", ffi.metatype, "struct mk_point")
fails("invalid C type", ffi.metatype, "int", {})

-- Errors through C: a comparison that raises leaves qsort, and the values that it sorted.
local numbers = ffi.new("int[6]", 5, 2, 9, 1, 7, 3)
if differs "callback-errors" then
  local calls = 0
  fails("mistakes.lua:%d+: enough", ffi.C.qsort, numbers, 6, 4, function()
    calls = calls + 1
    if calls == 3 then error "enough" end
    return -1
  end)
  check(calls == 3, "not called again after its error")
  local sum = 0
  for i = 0, 5 do sum = sum + numbers[i] end
  check(sum == 27, "the values are all there")
  fails("bad result of callback", ffi.C.qsort, numbers, 6, 4, function() return {} end)

  -- A stack overflow inside a callback, and callbacks that call each other for ever.
  local function endless() return 1 + endless() end
  fails("stack overflow", T.t_each, 1, function() return endless() end)
  local function again() return T.t_each(1, again) end
  fails("overflow", again)
  check(T.t_each(3, function(x) return x end) == 3, "and all is well again")

  -- A yield cannot cross C.
  local co = coroutine.wrap(function() return T.t_each(1, function() return coroutine.yield(5) end) end)
  fails("yield", co)
  -- An error in a coroutine inside a callback is the coroutine's.
  check(T.t_each(1, function()
    local ok = coroutine.resume(coroutine.create(function() error "inner" end))
    return ok and 1 or 2
  end) == 2)
end

-- Metamethods that fail, or call themselves.
ffi.cdef "typedef struct { int v; } mk_meta;"
local meta = ffi.metatype("mk_meta", {
  __add = function() error "no sum" end,
  __index = function(_, k) if k == "bad" then error("no " .. k) end return k end,
  __newindex = function() error "read-only" end,
  __new = function(ct, v) if v == "bad" then error "no value" end return ffi.new(ct, v) end,
})
local value = meta(5)
fails("no sum", function() return value + 1 end)
fails("no sum", function() return 1 + value end)
fails("no bad", get, value, "bad")
fails("read%-only", set, value, "other", 1)
fails("no value", meta, "bad")
fails("cannot convert 'table' to 'int'", meta, { {} })
check(value.v == 5)
check(value.other == "other")
fails("attempt to perform arithmetic on 'struct %d+' and 'number'", function() return value - 1 end)

-- Arguments of the library's own functions are looked at when they are given, not when they are used.
if differs "argument-errors" then
  -- Lua 5.4 finds a function under either name of its module; older versions of Lua do not look into tables; Luau gives no name.
  local function to(name)
    if _VERSION == "Lua 5.4" then return "to '%w+%." .. name .. "' %(" end
    return _VERSION:find "Luau" and "%(" or "to '[^']*' %("
  end
  if not apart then fails("bad argument #1 " .. to "load" .. "a library name expected, got an empty string", ffi.load, "") end
  local array = ffi.new "int[1]"
  for _, wrong in ipairs { 5, "text", true, {}, ffi.new "int", array } do
    fails("bad argument #2 " .. to "gc" .. "a function or nil expected, got", ffi.gc, array, wrong)
  end
  for _, right in ipairs { function() end, T.t_i32, ffi.cast("mk_unary", 0), setmetatable({}, { __call = function() end }) } do
    check(ffi.gc(array, right) == array)
  end
  check(ffi.gc(array, nil) == array)
  for _, wrong in ipairs { 5, "text", true, {}, print, array } do
    fails("bad argument #1 " .. to "async" .. "a C function expected, got", ffi.async, wrong)
  end
  check(type(ffi.async(T.t_i32)) == "function")
  -- Every function of the table takes a value of every type, and none ends the process.
  local values = { true, 5, -1, 1.5, "", "zz", {}, print, coroutine.create(function() end), array, ffi.typeof "int", io and io.stdout or false }
  local reads = { string = true, copy = true, fill = true, traceback = true, cdef = true }
  for name, f in pairs(ffi) do
    if type(f) == "function" and not reads[name] then
      pcall(f)
      for _, value in ipairs(values) do
        for _, other in ipairs(values) do
          if name ~= "poll" and name ~= "option" then pcall(f, value, other) end
        end
      end
    end
  end
end
