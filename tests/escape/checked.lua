-- Everything is permitted, and memory is checked: what leaves the memory that the library knows is an error.
local int4 = function() return ffi.new("int[4]", { 1, 2, 3, 4 }) end
ffi.cdef [[
  struct point { int x, y; };
  struct list { int n; struct list *next; char name[8]; };
  struct flexible { int n; int data[?]; };
  struct counted { int n; int data[] __attribute__((counted_by(n))); };
  struct bits { unsigned a : 3; unsigned b : 13; };
  struct odd { char c; int n; };
  struct nested { struct point points[3]; int tail; };
  union both { void *p; uint64_t n; char bytes[8]; int *ints; };
  typedef int vector __attribute__((vector_size(16)));
]]

section "elements"
attempt("element behind an array", function() return int4()[4] end, "index 4 is out of range")
attempt("element far behind an array", function() return int4()[1e9] end, "out of range")
attempt("element before an array", function() return int4()[-1] end, "index %-1 is out of range")
attempt("element whose offset overflows", function() return int4()[math.mininteger or -2^53] end, "out of range")
attempt("element whose offset wraps to 0", function() return int4()[0x4000000000000000] end, "out of range")
attempt("assignment behind an array", function() int4()[4] = 1 end, "out of range")
attempt("assignment before an array", function() int4()[-1] = 1 end, "out of range")
attempt("element behind an array of variable length", function() return ffi.new("int[?]", 3)[3] end, "with 3 elements")
attempt("element of an array of no elements", function() return ffi.new("int[?]", 0)[0] end, "with 0 elements")
attempt("element behind a member array", function() return ffi.new("struct list").name[8] end, "out of range")
attempt("assignment behind a member array", function() ffi.new("struct list").name[8] = 1 end, "out of range")
attempt("element behind an array of structs", function() return ffi.new("struct nested").points[3] end, "out of range")
attempt("row behind an array of arrays", function() return ffi.new("int[2][3]")[2] end, "out of range")
attempt("element behind a row", function() return ffi.new("int[2][3]")[1][3] end, "out of range")
attempt("element behind a vector", function() return ffi.new("vector")[4] end, "out of range")
attempt("element before a vector", function() return ffi.new("vector")[-1] end, "out of range")
attempt("element by a 64-bit cdata", function() return int4()[ffi.new("uint64_t", 4)] end, "out of range")
attempt("element by a huge cdata", function() return int4()[ffi.cast("uint64_t", -1)] end, "out of range")
attempt("element by a 128-bit cdata", function() return int4()[ffi.new("__int128", 4)] end, "out of range")
attempt("element by a float", function() return int4()[4.5] end, "out of range")
attempt("element by infinity", function() return int4()[math.huge] end, "out of range")
attempt("element behind a flexible member", function() return ffi.new("struct flexible", 2).data[2] end, "bytes")
attempt("assignment behind a flexible member", function() ffi.new("struct flexible", 2).data[2] = 1 end, "bytes")
attempt("element before a flexible member", function() return ffi.new("struct flexible", 2).data[-2] end, "bytes")
attempt("element behind what counted_by says", function()
  local memory = ffi.new("char[64]")
  local c = ffi.cast("struct counted *", memory)
  c.n = 3
  assert(c.data[2] == 0)
  return c.data[3]
end, "12 bytes")
attempt("element with a negative counted_by", function()
  local c = ffi.cast("struct counted *", ffi.new("char[64]"))
  c.n = -1
  return c.data[0]
end, "0 bytes")
attempt("element with a counted_by that is too large", function()
  local memory = ffi.new("char[64]")
  local c = ffi.cast("struct counted *", memory)
  c.n = 1000
  return c.data[15]
end, "bytes")

section "pointers"
attempt("pointer behind an array", function() local a = int4() return ffi.cast("int *", a)[4] end, "16 bytes")
attempt("pointer before an array", function() local a = int4() return ffi.cast("int *", a)[-1] end, "16 bytes")
attempt("assignment through a pointer behind", function() local a = int4() ffi.cast("int *", a)[4] = 0 end, "16 bytes")
attempt("arithmetic past the end", function() return ffi.cast("int *", int4()) + 5 end, "16 bytes")
attempt("arithmetic before the start", function() return ffi.cast("int *", int4()) - 1 end, "16 bytes")
attempt("arithmetic that overflows", function() return ffi.cast("int *", int4()) + 0x4000000000000001 end, "too far")
attempt("an element too far away", function() return ffi.cast("int *", int4())[0x4000000000000001] end, "too far")
attempt("a difference that overflows", function() return ffi.cast("int *", int4()) - (math.mininteger or -2^63) end, "too far")
attempt("arithmetic on an array", function() return int4() + 5 end, "16 bytes")
attempt("element at the end", function() local a = int4() return (a + 4)[0] end, "16 bytes")
attempt("field at the end", function()
  local a = ffi.new("struct point[2]")
  return (a + 2).x
end, "16 bytes")
attempt("field half outside", function()
  local memory = ffi.new("char[6]")
  return ffi.cast("struct point *", memory).y
end, "6 bytes")
attempt("assignment to a field half outside", function()
  local memory = ffi.new("char[6]")
  ffi.cast("struct point *", memory).y = 1
end, "6 bytes")
attempt("bit-field outside", function()
  local memory = ffi.new("char[1]")
  return ffi.cast("struct bits *", memory).b
end, "attempt to read")
attempt("struct larger than its memory", function()
  local p = ffi.new("struct point")
  return ffi.cast("struct nested *", p).tail
end, "8 bytes")
attempt("array larger than its memory", function()
  local p = ffi.new("struct point")
  return ffi.cast("int (*)[100]", p)[0]
end, "8 bytes")
attempt("reference larger than its memory", function()
  local p = ffi.new("struct point")
  return ffi.cast("struct nested &", p).tail
end, "8 bytes")
attempt("reference to a number outside", function()
  local a = int4()
  return ffi.cast("int64_t &", a + 4) + 0
end, "attempt to")
attempt("misaligned pointer", function()
  local memory = ffi.new("char[16]")
  return ffi.cast("int *", memory + 1)[0]
end, "misaligned")
attempt("misaligned struct", function()
  local memory = ffi.new("char[16]")
  return ffi.cast("struct point *", memory + 2).x
end, "misaligned")
attempt("misaligned assignment", function()
  local memory = ffi.new("char[16]")
  ffi.cast("double *", memory + 4)[0] = 1
end, "misaligned")
attempt("NULL element", function() return ffi.cast("int *", nil)[0] end, "NULL")
attempt("NULL field", function() return ffi.cast("struct point *", nil).y end, "NULL")
attempt("assignment to NULL", function() ffi.cast("struct point *", nil).y = 1 end, "NULL")
attempt("NULL plus something", function() return (ffi.cast("int *", nil) + 1)[0] end, "attempt to")
attempt("reference to NULL", function() return ffi.cast("int &", nil) end, "NULL")
attempt("void pointer", function() return ffi.cast("void *", int4())[0] end, "size of C type is unknown")
attempt("pointer to an incomplete struct", function()
  ffi.cdef "struct incomplete;"
  return ffi.cast("struct incomplete *", int4())[0]
end, "size of C type is unknown")

section "forged pointers"
attempt("pointer of a number", function() return ffi.cast("int *", 0x10000)[0] end, "foreign")
attempt("assignment through a pointer of a number", function() ffi.cast("int *", 0x10000)[0] = 1 end, "foreign")
attempt("pointer of a negative number", function() return ffi.cast("int *", -16)[0] end, "foreign")
attempt("pointer of a cdata number", function() return ffi.cast("int *", ffi.new("uint64_t", 0x10000))[0] end, "foreign")
attempt("field of a number", function() return ffi.cast("struct point *", 64).x end, "foreign")
attempt("arithmetic on a pointer of a number", function() return ffi.cast("char *", 0x10000) + 1 end, "foreign")
attempt("number behind a known address", function()
  local a = int4()
  return ffi.cast("int *", ffi.cast("uintptr_t", a) + 20)[0]
end, "foreign")
attempt("pointer out of a union", function()
  local u = ffi.new("union both")
  u.n = 0x10000
  return u.ints[0]
end, "foreign")
attempt("pointer out of the bytes of a union", function()
  local u = ffi.new("union both")
  for i = 0, 7 do u.bytes[i] = 0x41 end
  return u.ints[0]
end, "foreign")
attempt("pointer out of copied bytes", function()
  local l = ffi.new("struct list")
  ffi.copy(l, ("\1"):rep(16), 16)
  return l.next.n
end, "foreign")
attempt("pointer out of filled bytes", function()
  local l = ffi.new("struct list")
  ffi.fill(l, ffi.sizeof(l), 0x7f)
  return l.next.n
end, "foreign")
attempt("pointer out of an array of numbers", function()
  local a = ffi.new("uint64_t[2]", { 0x10000, 0 })
  return ffi.cast("int **", a)[0][0]
end, "foreign")
attempt("pointer of a pointer of a number", function()
  local u = ffi.new("union both[2]")
  u[0].n = 0x20000
  return ffi.cast("char ***", u)[0][0][0]
end, "foreign")
attempt("address of a pointer, changed", function()
  local p = ffi.cast("int *", int4())
  ffi.cast("uint64_t *", ffi.addressof(p))[0] = 0x10000
  return p[0]
end, "bytes")
attempt("behind the address of a pointer", function()
  local p = ffi.cast("int *", int4())
  return ffi.cast("char *", ffi.addressof(p))[8]
end, "8 bytes")
attempt("before the address of a pointer", function()
  local p = ffi.cast("int *", int4())
  return ffi.cast("uint32_t *", ffi.addressof(p))[-1]
end, "bytes")
attempt("the header of a value", function()
  local a = int4()
  return ffi.cast("uint64_t *", a)[-1]
end, "16 bytes")
attempt("address of a number, and on", function()
  local n = ffi.new("uint64_t", 1)
  return ffi.cast("uint64_t *", ffi.addressof(n))[1]
end, "8 bytes")
attempt("light userdata", function() return ffi.cast("int *", light)[0] end, "foreign")
attempt("a userdata of the host", function() return ffi.cast("char *", userdata)[0] end, "foreign")
attempt_where(io, "a file", function() return ffi.cast("char *", io.stdout)[0] end, "foreign")
attempt("pointer to a function", function() return ffi.cast("char *", ffi.cast("void (*)(void)", print))[0] end, "foreign")
attempt("a function's code, written to", function()
  ffi.cdef "int abs(int);"
  ffi.cast("char *", ffi.C.abs)[0] = 0xC3
end, "foreign")
attempt("what C returns", function()
  ffi.cdef "char *getenv(const char *name);"
  return ffi.C.getenv("PATH")[0]
end, "foreign")
attempt("the string that C returns", function() return ffi.string(ffi.C.getenv("PATH")) end, "foreign")
attempt("what C allocates", function()
  ffi.cdef "void *malloc(size_t); void free(void *);"
  local p = ffi.C.malloc(16)
  ffi.gc(p, ffi.C.free)
  return ffi.cast("int *", p)[0]
end, "foreign")
attempt("a struct from a dead pointer in memory", function()
  local slots = ffi.new("int *[1]")
  slots[0] = ffi.new("int[4]")
  for _ = 1, 5 do collectgarbage() end
  return slots[0][0]
end, "foreign")
attempt("a linked list whose nodes are gone", function()
  local head = ffi.new("struct list")
  head.next = ffi.new("struct list", { n = 5 })
  for _ = 1, 5 do collectgarbage() end
  return head.next.n
end, "foreign")

section "strings and copies"
attempt("ffi.string past the end", function() return ffi.string(int4(), 17) end, "16 bytes")
attempt("ffi.string with a huge length", function() return ffi.string(int4(), 0x7fffffffffff) end, "16 bytes")
attempt("ffi.string with a negative length", function() return ffi.string(int4(), -1) end, "out of range")
attempt("ffi.string without an end", function()
  local a = ffi.new("char[4]", "abcd")
  return ffi.string(ffi.cast("char *", a))
end, "without an end")
attempt("ffi.string at the end", function()
  local a = ffi.new("char[4]")
  return ffi.string(a + 4)
end, "without an end")
attempt("ffi.string of a number", function() return ffi.string(ffi.cast("char *", 4096), 1) end, "foreign")
attempt("ffi.string of NULL", function() return ffi.string(nil, 1) end, "NULL")
attempt("ffi.copy past the target", function() ffi.copy(int4(), int4(), 17) end, "16 bytes")
attempt("ffi.copy past the source", function() ffi.copy(ffi.new("char[64]"), int4(), 17) end, "16 bytes")
attempt("ffi.copy of a long string", function() ffi.copy(int4(), ("x"):rep(16)) end, "17 bytes")
attempt("ffi.copy past a string", function() ffi.copy(ffi.new("char[64]"), "short", 7) end, "6 bytes")
attempt("ffi.copy with a negative length", function() ffi.copy(int4(), int4(), -1) end, "out of range")
attempt("ffi.copy with a length that overflows", function() ffi.copy(int4(), int4(), 2^63) end, "out of range")
attempt("ffi.copy to a number", function() ffi.copy(ffi.cast("char *", 4096), "x", 1) end, "foreign")
attempt("ffi.copy from a number", function() ffi.copy(int4(), ffi.cast("char *", 4096), 1) end, "foreign")
attempt("ffi.copy to a string", function() ffi.copy(ffi.cast("char *", "text"), "x", 1) end, "read%-only")
attempt("ffi.copy from the end of a pointer", function()
  local a = ffi.new("char[8]")
  ffi.copy(ffi.new("char[8]"), a + 4, 8)
end, "8 bytes at byte 4")
attempt("ffi.fill past the end", function() ffi.fill(int4(), 17) end, "16 bytes")
attempt("ffi.fill with a huge length", function() ffi.fill(int4(), 0x7fffffffffff) end, "16 bytes")
attempt("ffi.fill with more than there can be", function() ffi.fill(int4(), 0x7ffffffffffffff0) end, "bytes")
attempt("ffi.fill of a number", function() ffi.fill(ffi.cast("char *", 4096), 1) end, "foreign")
attempt("ffi.fill of a string", function() ffi.fill(ffi.cast("char *", "text"), 1) end, "read%-only")
attempt("a string written to", function() ffi.cast("char *", "text")[0] = 0 end, "read%-only")
attempt("behind a string", function() return ffi.cast("const char *", "text")[5] end, "5 bytes")
attempt("a constant field", function()
  local p = ffi.new("const struct point", 1, 2)
  p.x = 3
end, "constant")
attempt("a table that is too long", function() return ffi.new("int[2]", { 1, 2, 3 }) end, "too many initializers")
attempt("a table that is too long for a flexible member", function()
  return ffi.new("struct flexible", 1, { 0, { 1, 2, 3 } })
end, "too many initializers")
attempt("assignment of a table to a flexible member", function()
  local f = ffi.new("struct flexible", 2)
  f.data = { 1, 2, 3 }
end, "too many initializers")

section "sizes"
attempt("a negative size", function() return ffi.new("int[?]", -1) end, "unknown or too large")
attempt("a size that overflows", function() return ffi.new("int[?]", 0x4000000000000000) end, "unknown or too large")
attempt("a size that wraps to 4", function() return ffi.new("int[?]", 0x4000000000000001) end, "unknown or too large")
attempt("a size beyond memory", function() return ffi.new("char[?]", 0x7fffffffff00) end, "not enough memory")
attempt("a fixed size beyond memory", function() return ffi.new("char[0x7fffffffff00]") end, "not enough memory")
attempt("an array type that overflows", function() return ffi.new("int[0x7fffffffffffffff]") end, "larger than the address space")
attempt("arrays of arrays that overflow", function() return ffi.new("int[0x80000000][0x80000000][16]") end, "larger than the address space")
attempt("sizeof that overflows", function() return ffi.sizeof("int[?]", 0x4000000000000000) + 1 end, _VERSION:find "Luau" and "on nil and number" or "arithmetic on a nil value")
attempt("a struct that overflows", function()
  ffi.cdef "struct huge { char a[0x7fffffffffffffff]; char b[0x7fffffffffffffff]; };"
  return ffi.new("struct huge")
end, "large")
