-- FFI API functions, one by one (callbacks, metatype, gc and load have files of their own)
local ffi = require "ffi"

-- ffi.cdef: declares for all later uses; an error says where.
ffi.cdef [[
  typedef struct api_point { int x, y; } api_point;
  struct api_mixed { char c; double d; short s; };
  struct api_bits { int a : 4; int b : 12; };
  struct api_vls { int n; short v[?]; };
  struct api_union_holder { int tag; union { float f; int i; }; struct { int p, q; }; };
  enum api_e { API_A, API_B };
  struct api_opaque;
]]
check(ffi.sizeof("api_point") == 8)
ffi.cdef "typedef int api_first; typedef api_first api_second;"
check(ffi.sizeof("api_second") == 4)
fails("api_undeclared", ffi.cdef, "api_undeclared x;")
fails("expected", ffi.cdef, "struct {")
fails("string expected, got table", ffi.cdef, {})
fails("bad argument #1", ffi.cdef)
if differs "declarations" then
  -- A cdef is atomic.
  fails("expected", ffi.cdef, "typedef int api_atomic; struct api_atomic_s { int x; }; typedef int 5;")
  fails("api_atomic", ffi.typeof, "api_atomic")
  -- An error shows line and column.
  fails("2:%d+:", ffi.cdef, "int a;\nint b c;")
end

-- ffi.typeof
local int = ffi.typeof("int")
check(ffi.typeof(int) == int and ffi.typeof("int") == int)
check(ffi.typeof(ffi.new("int")) == int)
check(ffi.typeof("signed int") == int)
check(ffi.typeof("api_point") == ffi.typeof("struct api_point"))
fails("C type expected, got number", ffi.typeof, 5)
fails("C type expected, got nil", ffi.typeof, nil)
fails("C type expected", ffi.typeof)
fails("", ffi.typeof, "no_such_type")
fails("", ffi.typeof, "int +")
fails("", ffi.typeof, "")
fails("undeclared or implicit tag", ffi.typeof, "struct api_never_declared")

-- ctypes are called to make values.
local p = ffi.typeof("api_point")(3, 4)
check(p.x == 3 and p.y == 4)
check(num(int(7.5)) == 7)
local vla = ffi.typeof("int[?]")
check(vla(3, 1, 2, 3)[2] == 3)
check(ffi.typeof("const char *")("abc")[1] == 98)

-- ffi.new: takes a type text, a ctype, or a cdata for its type.
check(ffi.new(p, 5).x == 5)
check(ffi.new(int, 5) ~= nil)
fails("C type expected, got table", ffi.new, {})

-- ffi.sizeof
for _, case in ipairs {
  { "char", 1 }, { "short", 2 }, { "int", 4 }, { "int64_t", 8 }, { "float", 4 }, { "double", 8 },
  { "bool", 1 }, { "void *", ffi.abi "64bit" and 8 or 4 }, { "int[3]", 12 }, { "int[2][3]", 24 },
  { "complex", 16 }, { "complex float", 8 }, { "struct api_mixed", ffi.abi "64bit" and 24 or 16 }, { "enum api_e", 4 },
  { "int (*)(int)", ffi.abi "64bit" and 8 or 4 }, { "struct api_bits", 4 }, { "struct api_vls", 4, 0 },
} do
  check(ffi.sizeof(case[1], case[3]) == case[2], case[1])
end
check(ffi.sizeof("int[?]", 5) == 20)
check(ffi.sizeof("struct api_vls", 3) == 10)
check(ffi.sizeof(ffi.new("int[?]", 5)) == 20)
check(ffi.sizeof(ffi.new("struct api_vls", 3)) == 10)
check(ffi.sizeof(p) == 8 and ffi.sizeof(ffi.typeof(p)) == 8)
check(ffi.sizeof("struct api_opaque") == nil)
check(ffi.sizeof("void") == nil)
check(ffi.sizeof("int[]") == nil)
check(ffi.sizeof("int(int)") == nil)
fails("value expected", ffi.sizeof, "int[?]")
check(ffi.sizeof("int[?]", 0) == 0 and ffi.sizeof("int[?]", -0.5) == 0 and ffi.sizeof("struct api_vls", 0) == 4)
check(ffi.sizeof("int[?]", -1) == nil and ffi.sizeof("struct api_vls", -5) == nil and ffi.sizeof("char[?]", -2 ^ 40) == nil)
check(ffi.sizeof("int[?]", 1 / 0) == nil and ffi.sizeof("int[?]", 0 / 0) == nil)
if differs "large-objects" then
  check(not ffi.abi "64bit" or num(ffi.sizeof("char[?]", 2 ^ 31)) == 2 ^ 31)
  check(not ffi.abi "64bit" or num(ffi.sizeof("int[?]", 2 ^ 29)) == 2 ^ 31)
end

-- ffi.alignof
for _, case in ipairs {
  { "char", 1 }, { "short", 2 }, { "int", 4 }, { "float", 4 }, { "int[3]", 4 }, { "struct api_point", 4 },
  { "int[?]", 4 }, { "complex float", 4 }, { "void *", ffi.sizeof "void *" }, { "struct api_vls", 4 },
} do
  check(ffi.alignof(case[1]) == case[2], case[1])
end
check(ffi.alignof(p) == 4)
check(ffi.alignof("struct { char c; int __attribute__((aligned(32))) x; }") == 32)

-- ffi.offsetof
check(ffi.offsetof("struct api_mixed", "c") == 0)
local double_align = ffi.abi "64bit" and 8 or 4 -- as a member
check(ffi.offsetof("struct api_mixed", "d") == double_align)
check(ffi.offsetof(ffi.new("struct api_mixed"), "s") == double_align + 8)
check(ffi.offsetof("struct api_union_holder", "i") == 4 and ffi.offsetof("struct api_union_holder", "f") == 4)
check(ffi.offsetof("struct api_union_holder", "q") == 12)
check(select("#", ffi.offsetof("struct api_mixed", "nope")) == 0)
check(select("#", ffi.offsetof("int", "x")) == 0)
check(select("#", ffi.offsetof("struct api_opaque", "x")) == 0)
check(select("#", ffi.offsetof("struct api_bits", "b")) == 3)
fails("string expected", ffi.offsetof, "struct api_mixed", {})

-- ffi.istype: qualifiers are ignored; a struct matches a pointer to it.
check(ffi.istype("int", int(1)) and not ffi.istype("int", 1) and not ffi.istype("int", "x"))
check(ffi.istype("const int", int(1)))
check(not ffi.istype("unsigned int", int(1)))
check(not ffi.istype("float", int(1)))
check(ffi.istype("api_point", p) and ffi.istype("struct api_point", p))
check(ffi.istype("api_point", ffi.new("api_point *", p)))
check(not ffi.istype("api_point *", p))
check(not ffi.istype("struct api_mixed", p))
check(ffi.istype("int *", ffi.new("int *")))
check(ffi.istype("const int *", ffi.new("int *")))
check(not ffi.istype("short *", ffi.new("int *")))
check(ffi.istype("int[3]", ffi.new("int[3]")) and not ffi.istype("int[2]", ffi.new("int[3]")))
check(not ffi.istype("int *", ffi.new("int[3]")))
check(ffi.istype("api_point", ffi.new("api_point[2]")[1]))
check(ffi.istype("enum api_e", ffi.new("enum api_e")))
check(ffi.istype("int", ffi.typeof("int")), "a ctype stands for its type")
check(not ffi.istype("struct { int n; }", ffi.new("struct { int n; }")), "each body is a type of its own")
-- LuaJIT has no digraphs.
if ffi.scope then check(not ffi.istype("struct <% int n; %>", ffi.new("struct <% int n; %>"))) end
check(not ffi.istype("int", print))
fails("C type expected", ffi.istype, 5, 5)
fails("bad argument #2", ffi.istype, "int")

-- ffi.string
local buffer = ffi.new("char[8]", "hello")
check(ffi.string(buffer) == "hello")
check(ffi.string(buffer, 3) == "hel")
check(ffi.string(buffer, 8) == "hello\0\0\0")
check(ffi.string(buffer + 2) == "llo")
check(ffi.string(buffer, 0) == "")
check(ffi.string("lua string") == "lua string" and ffi.string("lua string", 3) == "lua")
check(ffi.string(ffi.new("uint8_t[3]", 65, 66, 67), 3) == "ABC")
check(ffi.string(ffi.new("int[1]", 0x41424344), 4) == "DCBA")
check(ffi.string(ffi.new("struct api_mixed", 65), 1) == "A")
check(ffi.string(ffi.cast("void *", buffer), 5) == "hello")
check(ffi.string(buffer, nil) == "hello")
check(ffi.string(ffi.new("char[3]", "a\0b"), 3) == "a\0b")
fails("cannot convert 'short %[1%]' to 'const char %*'", ffi.string, ffi.new("short[1]"))
fails("cannot convert 'number' to 'const char %*'", ffi.string, 5)
fails("bad argument #1", ffi.string)
if differs "string-bounds" then
  check(ffi.string(ffi.new("char[3]", "abcdef")) == "abc", "an array of known size ends the string")
  fails("NULL pointer", ffi.string, nil)
  fails("NULL pointer", ffi.string, ffi.new("char *"), 3)
  fails("out of range", ffi.string, buffer, -1)
  check(ffi.string(ffi.new("char *"), 0) == "")
end

-- A string that was read before is what the memory holds now: shorter, longer, empty, another one of the same length.
do
  local room = ffi.new("char[64]")
  local text = ffi.cast("const char *", room)
  local contents = { "some text", "some", "some text, longer", "", "SOME TEXT", ("long "):rep(12), "some text" }
  for round = 1, 3 do
    for n, content in ipairs(contents) do
      -- No other copy of it stays in Lua.
      content = content ~= "" and content .. round or content
      ffi.copy(room, content, #content + 1)
      content = nil
      for read = 1, 4 do
        check(ffi.string(text) == (contents[n] ~= "" and contents[n] .. round or ""))
        if read % 2 == 0 then collect() end
      end
    end
  end
  -- Many strings in turn.
  local words, places = ffi.new("char[200][8]"), {}
  for i = 0, 199 do
    ffi.copy(words[i], "word" .. i)
    places[i] = ffi.cast("const char *", words[i])
  end
  for round = 1, 5 do
    if round % 2 == 0 then collect() end
    for i = 0, 199 do
      local expected = (round > 3 and "WORD" or "word") .. i
      for _ = 1, 3 do check(ffi.string(places[i]) == expected) end
      if round == 3 then ffi.copy(words[i], "WORD", 4) end
    end
  end
end

-- ffi.copy: returns nothing; a string is copied with its zero.
local target = ffi.new("char[8]", "xxxxxxx")
check(select("#", ffi.copy(target, buffer, 3)) == 0)
check(ffi.string(target) == "helxxxx")
ffi.copy(target, "abc")
check(ffi.string(target) == "abc" and target[4] == 120)
ffi.copy(target, "12345", 2)
check(ffi.string(target) == "12c")
local points = ffi.new("api_point[2]", { { 1, 2 }, { 3, 4 } })
ffi.copy(points, points + 1, ffi.sizeof("api_point"))
check(points[0].x == 3)
fails("bad argument #3", ffi.copy, target, buffer)
fails("cannot convert 'string' to 'void %*'", ffi.copy, "text", buffer, 1)
fails("cannot convert 'const char %*' to 'void %*'", ffi.copy, ffi.cast("const char *", buffer), buffer, 1)
fails("bad argument #1", ffi.copy)
if differs "null-access" then
  fails("bad argument #1 .*NULL pointer", ffi.copy, nil, buffer, 1)
  fails("bad argument #2 .*NULL pointer", ffi.copy, target, nil, 1)
  fails("out of range", ffi.copy, target, buffer, -1)
  ffi.copy(nil, nil, 0)
end

-- ffi.fill
ffi.fill(target, 8)
check(ffi.string(target, 8) == ("\0"):rep(8))
check(select("#", ffi.fill(target, 7, 65)) == 0)
check(ffi.string(target) == "AAAAAAA")
ffi.fill(points, ffi.sizeof(points), 255)
check(points[1].y == -1)
ffi.fill(points[0], 4)
check(points[0].x == 0 and points[0].y == -1)
fails("cannot convert", ffi.fill, 5, 5)
fails("cannot convert 'string'", ffi.fill, target, "x")
if differs "null-access" then
  fails("NULL pointer", ffi.fill, nil, 3)
  fails("out of range", ffi.fill, target, -1)
end

-- ffi.errno
local old = ffi.errno(42)
check(type(old) == "number")
check(ffi.errno() == 42 and ffi.errno(0) == 42 and ffi.errno() == 0)
fails("cannot convert", ffi.errno, {})

-- ffi.abi, ffi.os, ffi.arch
check(ffi.abi("64bit") ~= ffi.abi("32bit"))
check(ffi.abi("le") ~= ffi.abi("be"))
check(type(ffi.abi("win")) == "boolean")
check(ffi.abi("fpu") and not ffi.abi("no such thing"))
check(ffi.abi("win") == (ffi.os == "Windows"))
fails("string expected", ffi.abi, {})
local systems = { Windows = true, Linux = true, OSX = true, BSD = true, POSIX = true, Other = true }
check(systems[ffi.os] and type(ffi.arch) == "string")
if io and io.open("/proc/version") then check(ffi.os == "Linux") end

-- cdata and ctypes cannot be tampered with through their metatables.
check(getmetatable(p) == "ffi" and getmetatable(int) == "ffi")
check(not pcall(setmetatable, p, {}))

-- Extensions of this library.
if differs "extensions" then
  check(ffi.NULL == ffi.nullptr and tostring(ffi.NULL) == "cdata<void *>: NULL")

  local px = ffi.addressof(p)
  px.x = 70
  check(p.x == 70 and ffi.istype("api_point *", px))
  local n = int(5)
  ffi.addressof(n)[0] = 6
  check(ffi.tonumber(n) == 6)
  local pp = ffi.new("int *", ffi.new("int[1]", 9))
  check(ffi.istype("int **", ffi.addressof(pp)) and ffi.addressof(pp)[0][0] == 9)
  fails("cdata expected, got number", ffi.addressof, 5)

  check(not math.type or math.type(ffi.tonumber(ffi.new("int64_t", 5))) == "integer")
  check(ffi.tonumber(ffi.new("uint64_t", -1)) == 2 ^ 64)
  check(not math.type or math.type(ffi.tonumber(ffi.new("uint64_t", 5))) == "integer")
  check(ffi.tonumber(ffi.new("double", 0.5)) == 0.5)
  check(ffi.tonumber(ffi.new("enum api_e", 1)) == 1)
  check(ffi.tonumber(ffi.new("bool", true)) == 1)
  check(ffi.tonumber(p) == nil and ffi.tonumber(ffi.new("int *")) == nil)
  check(ffi.tonumber("0x10") == 16 and ffi.tonumber("x") == nil and ffi.tonumber(1.5) == 1.5)
  check(ffi.tonumber({}) == nil and ffi.tonumber("1\0") == nil)

  check(ffi.type(p) == "cdata" and ffi.type(int) == "cdata" and ffi.type(5) == "number")
  check(ffi.type(nil) == "nil" and ffi.type("x") == "string" and (not io or ffi.type(io.stdout) == "userdata"))

  check(ffi.toretval(n) == 6 and ffi.toretval(ffi.new("bool", true)) == true)
  check(rawequal(ffi.toretval(p), p))
end
