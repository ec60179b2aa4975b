-- FFI Semantics: "Conversions from Lua objects to C types"
local ffi = require "ffi"

local function store(ctype, value)
  local array = ffi.new(ctype .. "[1]")
  array[0] = value
  return array[0]
end

-- number
check(store("int", 3.99) == 3)
check(store("int", -3.99) == -3)
check(store("unsigned char", 258) == 2)
check(store("signed char", 200) == -56)
check(store("uint16_t", -1) == 65535)
check(store("float", 16777217) == 16777216)
check(num(store("int64_t", -2 ^ 40)) == -2 ^ 40)
check(num(store("uint64_t", 2 ^ 40)) == 2 ^ 40)
check(store("bool", 0) == false)
check(store("bool", 0.5) == true)
check(store("bool", -1) == true)
fails("cannot convert 'number' to 'int %*'", store, "int *", 0)
fails("cannot convert 'number' to 'struct l2c_point'", function()
  ffi.cdef [[ struct l2c_point { int x, y; }; ]]
  store("struct l2c_point", 1)
end)

-- boolean
check(store("bool", true) == true)
check(store("int", true) == 1)
check(store("int", false) == 0)
check(store("double", true) == 1)
fails("cannot convert 'bool%a*' to 'int %*'", store, "int *", true)

-- nil
check(store("int *", nil) == ffi.cast("void *", 0))
check(tostring(store("void *", nil)) == "cdata<void *>: NULL")
fails("cannot convert 'nil' to 'int'", store, "int", nil)
fails("cannot convert 'nil' to 'double'", store, "double", nil)

-- lightuserdata and userdata become void *
if io and not apart then
  local file = io.tmpfile()
  local fp = ffi.new("void *[1]")
  fp[0] = file
  check(fp[0] ~= ffi.new("void *"), "an io file is its FILE *")
  ffi.cdef [[ typedef struct l2c_file FILE_; ]]
  local stream = ffi.new("FILE_ *[1]")
  stream[0] = file
  check(stream[0] == fp[0])
  file:close()
  if differs "closed-files" then fails("closed file", function() fp[0] = file end) end
end

-- string: to pointers to const bytes, and to void
if not apart then
  local p = store("const char *", "hello")
  check(ffi.string(p) == "hello")
  check(ffi.string(store("const unsigned char *", "bytes")) == "bytes")
  check(ffi.string(store("const int8_t *", "bytes")) == "bytes")
  check(ffi.string(ffi.cast("const char *", store("const void *", "void"))) == "void")
  check(ffi.string(store("char const *", "east const")) == "east const")
end
for _, ctype in ipairs { "char *", "void *", "unsigned char *", "int *", "const int *", "const short *" } do
  fails("cannot convert 'string' to '" .. ctype:gsub("%*", "%%*"):gsub("unsigned char", "unsigned char"), store, ctype, "x")
end
fails("cannot convert 'string' to 'int'", store, "int", "1")
fails("cannot convert 'string' to 'double'", store, "double", "1")

-- string: to char arrays, with the final zero if there is room
local buffer = ffi.new("char[6]")
local holder = ffi.new("struct { char name[6]; int guard; }")
holder.guard = 77
holder.name = "hi"
check(ffi.string(holder.name) == "hi")
holder.name = "exactly too long"
check(ffi.string(holder.name, 6) == "exactl" and holder.guard == 77)
holder.name = "12345"
check(holder.name[5] == 0)
local bytes = ffi.new("uint8_t[4]", "abc")
check(bytes[0] == 97 and bytes[2] == 99 and bytes[3] == 0)
fails("cannot convert 'string' to 'short %[4%]'", ffi.new, "short[4]", "abc")

-- string: to an enum, by name
ffi.cdef [[ enum l2c_size { L2C_SMALL = -1, L2C_BIG = 100 }; ]]
check(num(ffi.new("enum l2c_size", "L2C_BIG")) == 100)
check(num(ffi.new("enum l2c_size", "L2C_SMALL")) == -1)
fails("cannot convert 'string' to 'enum l2c_size'", ffi.new, "enum l2c_size", "L2C_HUGE")
local sizes = ffi.new("enum l2c_size[2]")
sizes[0], sizes[1] = "L2C_BIG", 5
check(num(sizes[0]) == 100 and num(sizes[1]) == 5)

-- table: to arrays and structs (initializers.lua has the rest)
local pair = ffi.new("struct { struct l2c_point p; int a[2]; }")
pair.p = { 1, 2 }
pair.a = { 3, 4 }
check(pair.p.x == 1 and pair.p.y == 2 and pair.a[0] == 3 and pair.a[1] == 4)
pair.p = { y = 9 }
check(pair.p.x == 0 and pair.p.y == 9, "members not named are zero")
fails("cannot convert 'table' to 'int'", store, "int", {})
fails("cannot convert 'table' to 'int %*'", store, "int *", {})

-- cdata: by C rules (c_to_c.lua)
check(store("int", ffi.new("double", 4.7)) == 4)
fails("cannot convert 'struct l2c_point' to 'int'", store, "int", ffi.new("struct l2c_point"))

-- what no C type is
fails("cannot convert 'thread' to 'void %*'", store, "void *", coroutine.create(function() end))
fails("cannot convert 'function' to 'int'", store, "int", print)
fails("cannot convert 'function' to 'void %*'", store, "void *", print)

-- Pointers to functions convert to others that are called alike: C compares the types, LuaJIT the number of parameters.
do
  local function converts(to, from) return (pcall(ffi.new, to, ffi.cast(from, 16))) end
  for _, pair in ipairs {
    { "int (*)(int)", "unsigned (*)(unsigned)" }, { "int (*)(const void *)", "int (*)(const int *)" }, { "void *(*)(int)", "char *(*)(int)" },
    { "void *", "int (*)(int)" }, { "int (*)(int)", "void *" },
  } do
    check(converts(pair[1], pair[2]), pair[1])
  end
  for _, pair in ipairs {
    { "int (*)(int)", "int (*)(int, int)" }, { "int (*)(void)", "int (*)(int)" }, { "int *", "int (*)(int)" }, { "int (*)(int)", "int (**)(int)" },
  } do
    check(not converts(pair[1], pair[2]), pair[1])
  end
  if differs "function-pointers" then
    local pairs_apart = {
      { "int (*)(int)", "double (*)(double)" }, { "int (*)(int)", "long long (*)(int)" }, { "int (*)(int)", "int (*)(double)" },
      { "int (*)(int)", "void (*)(int)" }, { "int (*)(int)", "int (*)(int, ...)" }, { "bool (*)(void)", "int (*)(void)" },
    }
    if ffi.abi "64bit" then -- where a pointer is no int, and conventions differ
      pairs_apart[#pairs_apart + 1] = { "int (*)(int)", "int (*)(int *)" }
      pairs_apart[#pairs_apart + 1] = { "int (*)(int)", "int (*)(int) __attribute__((ms_abi))" }
    end
    for _, pair in ipairs(pairs_apart) do
      check(not converts(pair[1], pair[2]), pair[2])
      check(not converts(pair[2], pair[1]), pair[2])
      local cast = ffi.cast(pair[1], ffi.cast(pair[2], 16))
      check(ffi.cast("intptr_t", cast) == ffi.cast("intptr_t", 16), "a cast does it")
    end
    check(converts("int (*)()", "int (*)(int)"), "f() says nothing of its parameters")
    local holder = ffi.new "struct { int (*f)(int); }"
    fails("cannot convert 'double %(%*%)%(double%)' to 'int %(%*%)%(int%)'", function() holder.f = ffi.cast("double (*)(double)", 16) end)
  end
end

-- Addresses of C functions are compared like pointers, where Lua asks.
do
  ffi.cdef "void free(void *); int abs(int);"
  local pointer, f = ffi.cast("void *", ffi.C.free), ffi.cast("void (*)(void *)", ffi.C.free)
  check(pointer == f and f <= f and not (f < f))
  if mixed_order and not apart then check(f <= ffi.C.free and not (f < ffi.C.free) and not (ffi.C.free < f)) end
  if not apart then check(ffi.C.free <= ffi.C.free and not (ffi.C.free < ffi.C.free)) end
end

-- Wide strings: UTF-8 in Lua, UTF-16 or UTF-32 in C.
if differs "wide-strings" then
  local text = "a\195\169\226\130\172\240\159\152\128" -- 1, 2, 3 and 4 bytes
  ffi.cdef "size_t wcslen(const wchar_t *); struct ltc_wide { char16_t name[4]; wchar_t wide[3]; const char16_t *pointer; };"
  local function units(array, n)
    local all = {}
    for i = 0, n - 1 do all[#all + 1] = ("%x"):format(num(array[i])) end
    return table.concat(all, " ")
  end
  check(units(ffi.new("char32_t[5]", text), 5) == "61 e9 20ac 1f600 0")
  check(units(ffi.new("wchar_t[4]", text), 4) == "61 e9 20ac 1f600")
  check(units(ffi.new("char16_t[6]", text), 6) == "61 e9 20ac d83d de00 0")
  check(units(ffi.new("char16_t[4]", text), 4) == "61 e9 20ac 0", "no half of a character")
  check(units(ffi.new("char16_t[?]", 3, text), 3) == "61 e9 20ac")
  for _, array in ipairs { "char16_t[16]", "char32_t[16]", "wchar_t[16]" } do
    check(ffi.string(ffi.new(array, text)) == text and ffi.string(ffi.new(array)) == "", array)
    check(ffi.string(ffi.new(array, text) + 1) == text:sub(2), array)
    fails("the string is not UTF%-8: byte 3 is 0xff", ffi.new, array, "ab\255")
    fails("the string is not UTF%-8: byte 3 is 0xed", ffi.new, array, "ab\237\160\128")
    fails("character 2 of the string is a lone surrogate: 0xd800", ffi.string, ffi.new(array, { 97, 0xd800, 98 }))
    check(#ffi.string(ffi.new(array, { 97, 0xd800 }), 4) == 4, "bytes are bytes")
  end
  fails("character 1 of the string is no character: 0x110000", ffi.string, ffi.new("char32_t[2]", 0x110000))
  for _ = 1, 3 do
    check(num(ffi.C.wcslen(text)) == 4 and num(ffi.C.wcslen "") == 0)
    fails("bad argument #1 to 'wcslen' %(the string is not UTF%-8: byte 1 is 0xff%)", ffi.C.wcslen, "\255")
  end
  local kept = ffi.new("const wchar_t *", text)
  collect()
  check(ffi.string(kept) == text)
  local record = ffi.new("struct ltc_wide", { text, "xyz" })
  check(ffi.string(record.name) == text:sub(1, 6) and ffi.string(record.wide) == "xyz")
  fails("cannot convert 'string' to 'const unsigned short %*'", function() record.pointer = "abc" end)
  fails("cannot convert 'string' to 'int %*'", ffi.new, "wchar_t *", "abc")
  fails("NULL pointer", ffi.string, ffi.cast("wchar_t *", nil))
end
