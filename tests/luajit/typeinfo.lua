-- ffi.typeinfo: a library that walks types finds LuaJIT's. The numbers of entries differ; everything else is printed.
local ffi = require "ffi"
ffi.cdef [[
  struct point { int x, y; };
  typedef struct record {
    int a; const char *b; unsigned c : 3; int d : 5; double e[4]; struct { short f; }; union { int g; float h; } u; bool flag : 1;
    struct record *next; struct point points[2]; const int fixed; int (*call)(struct record *, int); unsigned wide : 30;
  } record_t;
  typedef union either { int a; float b; const volatile char *c; } either_t;
  enum colour { RED, GREEN = 5, BLUE = -1 };
  typedef enum { BIG = 0x80000000u, ONE = 1 } big_t;
  typedef int (*callback_t)(int, const char *, ...);
  typedef int function_t(double, struct point, enum colour);
  typedef struct { int n; int v[?]; } variable_t;
  typedef struct { char kind; double v[]; } flexible_t;
  struct opaque; union hidden;
  typedef int vector_t __attribute__((vector_size(16)));
  struct __attribute__((packed)) packed { char c; int i; short s; };
  struct empty {};
  typedef struct { enum colour a; int b : 4; _Bool c; bool d : 1; bool e : 1; } mixed_t;
]]

-- The kinds of entries, and which of them refer to another entry in their lower 16 bits.
local kinds = { [0] = "number", "struct", "pointer", "array", "void", "enum", "function", "typedef", "attribute", "field", "bit-field", "constant" }
local refers = { pointer = true, array = true, enum = true, ["function"] = true, attribute = true, field = true, constant = true, typedef = true }

local function walk(id, indent, seen, depth)
  local entry = ffi.typeinfo(id)
  if not entry then print(indent .. "none") return end
  local kind = kinds[bit.rshift(entry.info, 28)]
  local target = refers[kind] and bit.band(entry.info, 0xffff) or 0
  local info = refers[kind] and bit.band(entry.info, 0xffff0000) or entry.info
  print(indent .. kind, bit.tohex(info), entry.size, entry.sib ~= nil, entry.name)
  if seen[id] or depth > 6 then return end
  seen[id] = true
  if target ~= 0 then walk(target, indent .. "  ", seen, depth + 1) end
  if kind == "struct" or kind == "enum" or kind == "function" then
    local sib = entry.sib
    while sib do
      walk(sib, indent .. "  * ", seen, depth + 1)
      sib = ffi.typeinfo(sib).sib
    end
  end
end

local names = { "int", "unsigned", "char", "signed char", "unsigned char", "short", "unsigned short", "long", "unsigned long", "int64_t", "uint8_t", "size_t", "bool",
  "_Bool", "float", "double", "void", "const int", "volatile int", "const volatile unsigned", "const double", "const void", "complex", "complex float", "int *", "const char *",
  "void *", "char *const", "int **", "int &", "const int &", "int[4]", "int[]", "int[?]", "char[2][3]", "const int[3]", "record_t", "either_t", "struct opaque",
  "union hidden", "enum colour", "big_t", "callback_t", "function_t", "int(int)", "void()", "variable_t", "flexible_t", "vector_t", "struct packed",
  "struct empty", "mixed_t", "const record_t", "const volatile enum colour", "record_t *", "record_t[2]", "struct { int x; }", "union { int a; char b[3]; }", "const record_t *",
  "wchar_t", "intptr_t", "int8_t", "uint16_t", "int32_t", "uint32_t", "uint64_t", "long double", "callback_t[3]", "struct point (*)(struct point *, size_t)" }
for _, name in ipairs(names) do
  print(name)
  walk(tonumber(ffi.typeof(name)), "  ", {}, 0)
end

-- The first entries have LuaJIT's numbers.
for id = 0, 39 do
  local entry = ffi.typeinfo(id)
  print(id, entry and bit.tohex(entry.info), entry and entry.size, entry and entry.sib, entry and entry.name)
end
for _, name in ipairs { "void", "bool", "const char", "char", "unsigned char", "short", "unsigned short", "int", "unsigned", "int64_t", "uint64_t", "float", "double", "complex float",
  "complex", "void *", "const void *", "const char *", "unsigned char *" } do io.write(tonumber(ffi.typeof(name)), " ") end print()

-- A type has one number; a struct that is completed later keeps it.
local before = tonumber(ffi.typeof "struct opaque")
ffi.cdef "struct opaque { int now, there; };"
print(before == tonumber(ffi.typeof "struct opaque"), ffi.typeinfo(before).size, ffi.typeinfo(ffi.typeinfo(before).sib).name)
print(tonumber(ffi.typeof "int[7]") == tonumber(ffi.typeof "int[7]"), tonumber(ffi.typeof "int[7]") == tonumber(ffi.typeof "int[8]"))
print(ffi.typeinfo(60000), pcall(ffi.typeinfo, -1), (pcall(ffi.typeinfo, "x")), (pcall(ffi.typeinfo)))
print(bit.band(ffi.typeof "int", 15), bit.bor(ffi.typeof "void", 0))

-- The first steps of a reflecting library: the members of a struct with their offsets, the values of an enum.
local function members(ct)
  local list, sib = {}, ffi.typeinfo(tonumber(ffi.typeof(ct))).sib
  while sib do
    local entry = ffi.typeinfo(sib)
    list[#list + 1] = (entry.name or "(anonymous)") .. "@" .. tostring(entry.size)
    sib = entry.sib
  end
  return table.concat(list, " ")
end
print(members "record_t") print(members "enum colour") print(members "either_t") print(members "variable_t")
