-- Types and data, no calls.
local none = "not permitted"
ffi.cdef [[
  struct point { int x, y; };
  struct holder { struct point *p; void *any; int (*f)(int); };
  union both { void *p; uint64_t n; };
]]

section "calls and libraries"
attempt("a library", function() ffi.load "c" end, "permission `load`")
attempt("a library by path", function() ffi.load "/lib/x86_64-linux-gnu/libc.so.6" end, "permission `load`")
attempt("a library with a NUL in its name", function() ffi.load "c\0x" end, "NUL")
attempt("declaring a function", function() ffi.cdef "int system(const char *);" end, "permission `declare_functions`")
attempt("declaring a variable", function() ffi.cdef "extern char **environ;" end, "permission `declare_functions`")
attempt("declaring a function among types", function() ffi.cdef "struct a { int n; }; int puts(const char *);" end, "permission `declare_functions`")
attempt("declaring by an assembler name", function() ffi.cdef "int mine(const char *) __asm__(\"system\");" end, "permission `declare_functions`")
attempt("declaring through a parameter", function() ffi.cdef("int $(const char *);", "system") end, "permission `declare_functions`")
attempt("declaring through a macro of attributes", function() ffi.cdef "__attribute__((noreturn)) void exit(int);" end, "permission `declare_functions`")
attempt("a function nobody declared", function() return ffi.C.system end, "missing declaration")
attempt("a name with a NUL", function() return ffi.C["puts\0"] end, "missing declaration")
attempt("an empty name", function() return ffi.C[""] end, "missing declaration")
attempt("a number as a name", function() return ffi.C[1] end, "indexed by names")
attempt("assignment to the namespace", function() ffi.C.x = 1 end, "missing declaration")
attempt("calling a pointer of a number", function() ffi.cast("void (*)(void)", 0x1000)() end, none)
attempt("calling a pointer out of a struct", function()
  local h = ffi.new("struct holder")
  ffi.copy(h, ("\16"):rep(24), 24)
  h.f(1)
end, none)
attempt("a callback", function() ffi.cast("int (*)(int)", function() end) end, none)
attempt("a callback in a struct", function() ffi.new("struct holder").f = print end, none)
attempt("a callback in an initialiser", function() return ffi.new("struct holder", { f = print }) end, none)
attempt("another platform", function() ffi.target "i686-unknown-linux-gnu" end, "permission `targets`")
attempt("an explanation", function() ffi.explain "int f(int);" end, "permission `explain`")
attempt("LuaJIT mode", function() require "ffi.luajit" end, "")
attempt_where(package, "C modules", function() package.loadlib("libc.so.6", "*") end, "package.loadlib")

section "pointers"
attempt("a number as a pointer", function() ffi.cast("char *", 4096) end, "permission `integer_to_pointer`")
attempt("a cdata number as a pointer", function() ffi.cast("char *", ffi.new("uintptr_t", 4096)) end, "permission `integer_to_pointer`")
attempt("a negative number as a pointer", function() ffi.cast("char *", -1) end, "permission `integer_to_pointer`")
attempt("a float as a pointer", function() ffi.cast("char *", 4096.0) end, "permission `integer_to_pointer`")
attempt("an enum as a pointer", function() ffi.cast("char *", ffi.new("enum { A = 4096 }", 4096)) end, none)
attempt("a boolean as a pointer", function() return ffi.cast("char *", true)[0] end, "")
attempt("light userdata as a pointer", function() ffi.cast("char *", light) end, "permission `userdata_to_pointer`")
attempt("userdata as a pointer", function() ffi.cast("char *", userdata) end, "permission `userdata_to_pointer`")
attempt("userdata copied from", function() ffi.copy(ffi.new("char[8]"), userdata, 8) end, "permission `userdata_to_pointer`")
attempt("userdata copied to", function() ffi.copy(userdata, "x") end, "permission `userdata_to_pointer`")
attempt("userdata as a string", function() ffi.string(userdata, 8) end, "permission `userdata_to_pointer`")
attempt("userdata filled", function() ffi.fill(userdata, 8) end, "permission `userdata_to_pointer`")
attempt("a field of a union with pointers", function() ffi.new("union both").n = 1 end, "permission `pointer_unions`")
attempt("reading a union with pointers", function() return ffi.new("union both").p end, "permission `pointer_unions`")
attempt("initialising a union with pointers", function() ffi.new("union both", { n = 1 }) end, "permission `pointer_unions`")
attempt("an anonymous union with pointers", function()
  return ffi.new("struct { union { void *p; long n; }; }").n
end, "permission `pointer_unions`")
attempt("a pointer out of copied bytes", function()
  local h = ffi.new("struct holder")
  ffi.copy(h, ("\1"):rep(24), 24)
  return h.p.x
end, "foreign")
attempt("a pointer out of cast numbers", function()
  local a = ffi.new("uint64_t[1]", { 4096 })
  return ffi.cast("char **", a)[0][0]
end, "foreign")
attempt("a string out of cast numbers", function()
  local a = ffi.new("uint64_t[1]", { 4096 })
  return ffi.string(ffi.cast("char **", a)[0])
end, "foreign")
attempt("a finaliser on a foreign pointer", function()
  local a = ffi.new("uint64_t[1]", { 4096 })
  ffi.gc(ffi.cast("char **", a)[0], print)
end, "permission `foreign_finalizers`")
attempt("a reference out of memory", function()
  local a = ffi.new("uint64_t[1]", { 4096 })
  return ffi.cast("struct { int &r; } *", a).r
end, "foreign")
attempt("assignment to a reference out of memory", function()
  local a = ffi.new("uint64_t[1]", { 4096 })
  ffi.cast("struct { int &r; } *", a).r = 1
end, "foreign")
attempt("an expression with a pointer", function() return ffi.eval "*(int *)4096" end, "")

section "metatypes and finalisers"
attempt("__index that reads past the end", function()
  local T = ffi.metatype("struct { int n[2]; }", { __index = function(self, k) return self.n[k] end })
  return T()[2]
end, "out of range")
attempt("a pointer kept by a finaliser of what it leads into", function()
  local kept
  do
    local a = ffi.gc(ffi.new("int[4]"), function(o) kept = ffi.cast("int *", o) + 3 end)
    a = nil
  end
  for _ = 1, 5 do collectgarbage() end
  return (kept and kept[1]) or error("never out of range: no finaliser")
end, "")
attempt("a finaliser that fails goes no further", function()
  ffi.gc(ffi.new("int[1]"), function() error "in a finaliser" end)
  for _ = 1, 5 do collectgarbage() end
  error("the script goes on")
end, "goes on")
attempt("a metatype set twice", function()
  ffi.cdef "struct twice { int n; };"
  ffi.metatype("struct twice", {})
  ffi.metatype("struct twice", {})
end, "protected metatable")
attempt("a metatable taken", function() getmetatable(ffi.new("int[1]")).__index.x = 1 end, "")
attempt("a metatable changed", function() setmetatable(ffi.new("int[1]"), {}) end, "")
attempt("a metamethod with a stranger", function()
  local mt = { __index = function(s) return s end }
  ffi.metatype("struct point", mt)
  mt.__index(1).x = 1
end, "")
attempt("recursion in __index", function()
  ffi.cdef "struct deep { int n; };"
  ffi.metatype("struct deep", { __index = function(s) return s.nothing end })
  return ffi.new("struct deep").nothing
end, "overflow")
attempt("recursion in __new", function()
  ffi.cdef "struct again { int n; };"
  local T
  T = ffi.metatype("struct again", { __new = function() return T() end })
  T()
end, "overflow")

section "texts"
attempt("deep parentheses", function() ffi.typeof(("("):rep(1e5)) end, "")
attempt("deep pointers", function() ffi.cdef("typedef int " .. ("*"):rep(1e6) .. "deep;") error "it may be declared" end, "")
attempt("deep arrays", function() ffi.sizeof("int" .. ("[1]"):rep(1e5)) error "it may be declared" end, "")
attempt("deep structs", function() ffi.cdef(("struct { "):rep(1e4) .. "int n;" .. (" };"):rep(1e4)) end, "")
attempt("a struct that holds itself", function() ffi.cdef "struct own { struct own inside; };" end, "incomplete")
attempt("a constant divided by zero", function() ffi.cdef "enum zero { Z = 1 / 0 };" end, "zero")
attempt("a bit-field too wide", function() ffi.cdef "struct wide { int n : 33; };" end, "")
attempt("a NUL in a declaration", function() ffi.cdef "struct nul { int a\0b; };" end, "")
attempt("an alignment that is too large", function() ffi.cdef "struct far { int n __attribute__((aligned(0x80000000))); };" ffi.new "struct far" end, "")
attempt("a pack pragma out of range", function() ffi.cdef "#pragma pack(3)\nstruct packed { int n; };" end, "")
attempt("a type parameter that is no type", function() ffi.typeof("$ *", print) end, "")
attempt("garbage", function() ffi.cdef(("\255\1{}*"):rep(1000)) end, "")

section "the debug library"
local a = ffi.new("int[4]")
attempt_where(debug.getregistry, "the registry", function() debug.getregistry() end, "debug.getregistry")
attempt_where(debug.getmetatable, "the metatable of a value", function() debug.getmetatable(a).__index = print end, "debug.getmetatable")
attempt_where(debug.setmetatable, "another metatable for a value", function() debug.setmetatable(a, {}) end, "debug.setmetatable")
attempt_where(debug.getupvalue, "upvalues of the library", function() debug.getupvalue(ffi.new, 1) end, "debug.getupvalue")
attempt_where(debug.setupvalue, "other upvalues for the library", function() debug.setupvalue(ffi.new, 1, a) end, "the upvalues of the ffi library's functions cannot be set")
attempt_where(debug.setupvalue, "other upvalues for a function of the script", function() debug.setupvalue(function() return a end, 1, {}) end, "debug.setupvalue")
attempt_where(debug.upvaluejoin, "joined upvalues", function() debug.upvaluejoin(print, 1, print, 1) end, "")
attempt_where(debug.upvalueid, "upvalue identities", function() debug.upvalueid(ffi.new, 1) end, "")
attempt_where(debug.setuservalue, "the owner of a pointer", function() debug.setuservalue(ffi.cast("int *", a), nil) end, "debug.setuservalue")
attempt_where(debug.getuservalue, "the owner of a pointer, read", function() debug.getuservalue(ffi.cast("int *", a)) end, "debug.getuservalue")
attempt_where(debug.getlocal, "locals of a C function", function() debug.getlocal(1, 1) end, "debug.getlocal")
attempt_where(debug.setlocal, "other locals for a C function", function() debug.setlocal(1, 1, a) end, "debug.setlocal")
attempt_where(debug.setfenv, "the environment of the library", function() debug.setfenv(ffi.new, {}) end, "debug.setfenv")
attempt_where(debug.setfenv, "the owner of a pointer, by its old name", function() debug.setfenv(ffi.cast("int *", a), {}) end, "debug.setfenv")
attempt_where(setfenv, "the environment of the library, without debug", function() setfenv(ffi.new, {}) end, "environment")
attempt_where(load, "bytecode", function() load("\27Lua" .. ("\0"):rep(100))() end, "source text")
attempt_where(load, "bytecode piece by piece", function() load(function() return "\27Lua" end)() end, "source text")
attempt_where(loadfile, "bytecode out of a file", function() loadfile "/proc/self/exe" end, "not permitted")
attempt_where(dofile, "bytecode run from a file", function() dofile "/proc/self/exe" end, "not permitted")
attempt_where(load, "dumped and changed", function() load((string.dump(function() end):gsub("\4", "\5")))() end, "source text")
attempt_where(package and io and string.dump, "bytecode by require", function()
  error((require "written")(), 0)
end, "binary")
attempt_where(io, "all memory", function() return io.open("/proc/self/mem", "r+") end, "not permitted")
attempt_where(io, "all memory, line by line", function() return io.lines("/proc/self/mem") end, "not permitted")
attempt_where(io, "all memory as standard input", function() io.input("/proc/self/mem") return io.read(1) end, "not permitted")
attempt_where(io, "a program and its output", function() return io.popen("true") end, "not permitted")
attempt_where(os and os.execute, "a program", function() return os.execute("true") end, "not permitted")
attempt_where(os and os.execute, "the end of the process", function() os.exit(1) end, "not permitted")
attempt_where(package, "another path", function()
  package.path = "/proc/self/cmdline"
  return require "path"
end, "")

section "other libraries"
attempt("LuaJIT's own ffi", function() return require("ffi").C.system end, "")
attempt("the functions of LuaJIT's compiler", function() return require("jit.util").funck end, "")
attempt("memory of LuaJIT's buffers", function() return require("string.buffer").new():reserve(8)[1e6] end, "")
attempt_where(jit, "handlers of LuaJIT's compiler", function() return jit.attach(print) end, "")
