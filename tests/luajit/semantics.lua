-- FFI semantics: the conversion tables, row by row.
local ffi = require "ffi"
ffi.cdef [[
typedef struct { int a; double b; } sem_s; typedef union { int i; float f; uint8_t b[4]; } sem_u;
enum sem_e { SEM_A, SEM_B = 7 };
struct sem_all { int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
  float f; double d; bool flag; enum sem_e e; const char *s; void *p; int arr[3]; sem_s nested; sem_u un; char str[8]; int (*fn)(int); complex z; };
int abs(int); int sprintf(char *, const char *, ...); double fabs(double); int toupper(int);
]]
local x = ffi.new "struct sem_all"
local function try(f, ...) local r = { pcall(f, ...) } return r[1] and (tostring(r[2])) or "error" end
local function set(k, v) return try(function() x[k] = v return x[k] end) end
-- Lua to C: numbers, booleans, nil, strings, tables into every type.
for _, k in ipairs { "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "f", "d", "flag" } do
  print(k, set(k, 1), set(k, 100.7), k == "u64" or set(k, -1), set(k, true), set(k, "text"), set(k, nil), set(k, {}), set(k, 3LL), set(k, 200ULL))
end
print("e", set("e", 7), set("e", "SEM_B"), set("e", "SEM_A") , set("e", "NO"), set("e", true), set("e", 1.9))
print("s", (x.s == nil), try(function() x.s = "abc" return ffi.string(x.s) end), set("s", 5), set("s", true), set("s", {}))
print("p", try(function() x.p = nil return x.p == nil end), try(function() x.p = x return ffi.cast("struct sem_all *", x.p).i8 end), set("p", 5), set("p", "const"), try(function() x.p = io.stdout return x.p ~= nil end))
print("arr", try(function() x.arr = { 1, 2 } return x.arr[0] + x.arr[1] + x.arr[2] end), try(function() x.arr = { 5 } return x.arr[2] end), set("arr", 5), set("arr", "abc"), try(function() x.arr = {1, 2, 3, 4} end))
print("nested", try(function() x.nested = { 1, 2 } return x.nested.b end), try(function() x.nested = { b = 5 } return x.nested.a .. x.nested.b end), set("nested", 5), try(function() x.nested = ffi.new("sem_s", 8, 9) return x.nested.a end))
print("un", try(function() x.un = { 5 } return x.un.i end), try(function() x.un = { f = 1 } return x.un.i end), try(function() x.un.b = "ab" return x.un.b[1] end))
print("str", try(function() x.str = "hello" return ffi.string(x.str) end), try(function() x.str = "too long for it" return ffi.string(x.str, 8) end), set("str", 5))
print("fn", try(function() x.fn = function(n) return n * 2 end return x.fn(21) end), try(function() x.fn = ffi.C.abs return x.fn(-4) end), try(function() x.fn = nil return x.fn == nil end), set("fn", 5))
print("z", tostring(x.z), try(function() x.z = 2 return x.z end), try(function() x.z = ffi.new("complex", 1, -2) return x.z end), x.z.re, x.z.im, x.z[1])
print("unknown", try(function() return x.nope end), try(function() x.nope = 1 end), try(function() return x[1] == nil end))
-- C to C, casts.
for _, ct in ipairs { "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "float", "double", "bool" } do
  local r = {}
  for _, v in ipairs { 0, 1, -1, 127, 128, 255, 256, 65535, 2 ^ 31 - 1, 1.5, -1.5 } do r[#r + 1] = tostring(tonumber(ffi.cast(ct, v))) end
  print(ct, table.concat(r, " "))
end
print(ffi.cast("int64_t", 2 ^ 62), ffi.cast("uint64_t", 2 ^ 63), ffi.cast("int64_t", 1e19) == nil, ffi.cast("uint64_t", -1LL), tonumber(ffi.cast("int32_t", 5000000000LL)), ffi.cast("float", 0.1) == ffi.cast("float", 0.1))
print(ffi.cast("uint8_t *", x)[0] == ffi.cast("uint8_t", x.i8), try(ffi.cast, "sem_s", x), try(ffi.cast, "int", x) == "error", try(ffi.cast, "int", "text") ~= "error", try(ffi.cast, "int *", 5), try(ffi.cast, "int *", true))
-- Initialisers.
local function show(ct, ...)
  local ok, v = pcall(ffi.new, ct, ...)
  if not ok then return "error" end
  local out = {}
  for i = 0, ffi.sizeof(v) / 4 - 1 do out[#out + 1] = ffi.cast("int *", v)[i] end
  return table.concat(out, ",")
end
print(show("int[4]"), show("int[4]", 1), show("int[4]", 1, 2), show("int[4]", { 1 }), show("int[4]", { 1, 2 }), show("int[4]", { [0] = 1, 2 }), show("int[4]", {}), show("int[2]", 1, 2, 3))
print(show("struct { int a, b; }", 1), show("struct { int a, b; }", { 1, 2 }), show("struct { int a, b; }", { b = 5 }), show("struct { int a; struct { int b, c; }; }", 1, 2, 3), show("struct { int a; struct { int b, c; } d; }", 1, { 2, 3 }), show("struct { int a[2]; int b; }", { { 1, 2 }, 3 }))
print(show("union { int a; float b; }", 5), show("struct { int n; int v[?]; }", 2, 7, { 8, 9 }), show("int[?]", 3, 4), show("int[2][2]", { { 1, 2 }, { 3, 4 } }), show("int[2][2]", { { 1 } }), show("struct { int a; int b : 4; int c : 4; }", 1, 2, 3))
-- Operators.
local i, p = 5LL, ffi.new("int[4]", { 10, 20, 30, 40 })
print(i + 1, i - 7, i * 2.9, i / 2, i % 3, -i, i ^ 2, i < 6, i <= 5, i > 4ULL, i == 5, 7ULL / 2, -7LL / 2, -7LL % 3, 2ULL ^ 63)
print((p + 2)[0], (p + 2) - p, p + 1 < p + 2, p == p + 0, try(function() return p + p end), try(function() return p * 2 end), try(function() return i + nil end), try(function() return i .. "x" end))
print(ffi.new("int", 3) + ffi.new("int", 4), ffi.new("uint32_t", 1) - 2, ffi.new("double", 1.5) + 1, ffi.new("float", 2) * 1LL, true and ffi.new("bool", true) == true)
print(#"abc" + 1LL, 1 + 1ULL - 3, 0x7fffffffffffffffLL + 1LL, 1LL < 1.5, -1LL < 1ULL, 10LL % 0x10, try(function() return 1LL < "x" end), try(function() return 1LL < {} end), try(function() return x < x end))
-- Arguments and results.
print(ffi.C.abs(-3.9), ffi.C.abs(-2LL), try(ffi.C.abs, "5"), try(ffi.C.abs, nil), try(ffi.C.abs, {}), try(ffi.C.abs, true), ffi.C.fabs(-1), ffi.C.fabs(-3LL), ffi.C.toupper(97), ffi.C.abs(ffi.new("int8_t", -5)))
local b = ffi.new "char[100]"
local function fmt(...) ffi.C.sprintf(b, ...) return ffi.string(b) end
print(fmt("%g %s %d %lld %p %c", 1.5, "s", ffi.new("int", 3), 4LL, nil, ffi.new("int", 88)), fmt("%s %g", b, ffi.new("float", 2.5)) ~= nil, fmt("%d", ffi.new("bool", true)), fmt("%s", ffi.cast("const char *", "cs")), fmt("%d", ffi.new("enum sem_e", "SEM_B")))
-- Indexing.
print(p[1], p[1LL], p[ffi.new("int", 2)], p[1.9], try(function() return p.x end), try(function() return p["1"] end), try(function() return ffi.new("int")[0] end), try(function() p[0] = "x" end))
local cs = ffi.new("const sem_s", 1, 2)
print(try(function() cs.a = 5 end), cs.a, try(function() ffi.cast("const int *", p)[0] = 1 end), try(function() return ffi.cast("void *", p)[0] end), try(function() return ffi.new("struct sem_undefined *")[0] end))
-- References and copies.
local outer = ffi.new("struct { sem_s in; sem_s *ptr; }")
local ref = outer["in"]
ref.a = 42
outer.ptr = ref
local copy = ffi.new("sem_s", ref)
copy.a = 1
print(outer["in"].a, outer.ptr.a, outer.ptr[0].a, copy.a, ffi.istype("sem_s", ref), ffi.istype("sem_s &", ref) or "no reference type", (tostring(ref):gsub("%d+ &>: 0x%x+", "N &>")))
print(tostring(ffi.new "int"):match "^cdata<int>:", tostring(ffi.new "sem_s"):match "^cdata<.->:" ~= nil, tostring(ffi.typeof "sem_s") ~= nil, ffi.typeof "int[3]", ffi.typeof "struct sem_all *", tostring(ffi.new "enum sem_e"), 1LL, 2ULL, ffi.new("complex", 1, -1))

-- Functions go where others are wanted that have as many parameters; only such are ordered.
do
  local types = {
    "int (*)(int)", "double (*)(double)", "void (*)(void *)", "int (*)(int, ...)", "int (*)(int, int)", "int (*)(void)",
    "int (*)()", "void (*)(void)", "const char *(*)(const void *)", "void *", "const void *", "int *", "int (**)(int)",
  }
  for _, to in ipairs(types) do
    local row = {}
    for i, from in ipairs(types) do
      local value, other = ffi.cast(from, 16), ffi.cast(to, 32)
      local converts = pcall(ffi.new, to, value)
      local ordered = pcall(function() return other < value end)
      row[i] = (converts and "c" or "-") .. (ordered and "o" or "-") .. (other == value and "=" or "-")
    end
    print(to, table.concat(row, " "))
  end
  ffi.cdef "int abs(int); void free(void *);"
  local f, p, v = ffi.C.free, ffi.cast("void (*)(void *)", ffi.C.free), ffi.cast("void *", ffi.C.free)
  print(p == f, f == p, p < f, f <= p, f < f, f <= f, p ~= f, v == f, f == v, (pcall(function() return v < f end)))
end

-- A struct goes to ... by its address.
do
  ffi.cdef "int snprintf(char *, size_t, const char *, ...);"
  local buffer, text = ffi.new "char[64]", ffi.new("struct { char text[8]; }", { "inside" })
  for _ = 1, 3 do
    ffi.C.snprintf(buffer, 64, "%s %d", text, ffi.new("int", 5))
    print(ffi.string(buffer))
  end
end

-- Nothing writes to a constant, even with a `__newindex`.
do
  ffi.cdef "struct sem_const { int x; const int fixed; }; struct sem_plain { int x; };"
  local written = 0
  local metatable = { __newindex = function() written = written + 1 end }
  ffi.metatype("struct sem_const", metatable)
  ffi.metatype("struct sem_plain", metatable)
  for _, name in ipairs { "struct sem_const", "struct sem_plain" } do
    local value = ffi.new(name)
    for _, object in ipairs { value, ffi.new("const " .. name), ffi.new("const " .. name .. "[1]")[0], ffi.new("const " .. name .. " *", value), ffi.new(name .. "[1]"), ffi.new("const " .. name .. "[1]") } do
      -- Of arrays, LuaJIT prints another length.
      for _, key in ipairs(tostring(object):find "%[" and { 0 } or { "x", "fixed", "other", 0 }) do
        print(name, key, pcall(function() object[key] = key == 0 and {} or 1 end))
      end
    end
  end
  print(written)
end
