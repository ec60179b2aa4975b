-- C that LuaJIT's own parser reads: machine modes of vectors, continued lines, constants of structs.
local ffi = require "ffi"
for _, text in ipairs {
  "int __attribute__((mode(V4SI)))", "unsigned char __attribute__((__mode__(__V16QI__)))", "float __attribute__((mode(V2SF)))",
  "float __attribute__((mode(V4SF)))", "double __attribute__((mode(V2DF)))", "int __attribute__((mode(V8HI)))",
  "int __attribute__((mode(V2DI)))", "int __attribute__((mode(OI)))", "int __attribute__((mode(TI)))", "unsigned _Bool", "_Bool unsigned",
  "int * __ptr64",
} do
  print(text, ffi.sizeof(text), ffi.alignof(text))
end
ffi.cdef "int ab\\\ns(int); struct dc_s\\\n_t { int a; \\\n int b; };"
print(ffi.C.abs(-7), ffi.sizeof "struct dc_s_t")
ffi.cdef [[struct dc_k { static const int X = 5; static const unsigned Y = -1; enum { Z = 7 }; struct { enum { D = 8 }; static const int S = 9; }; int m; };
static const int DC_N = 3; const static unsigned char DC_C = 300; static const char DC_M = -5;]]
local t = ffi.typeof "struct dc_k"
print(t.X, t.Y, t.Z, t.D, t.S)
local v = ffi.new(t)
print(v.X, v.Y, v.Z, v.D, v.S, ffi.cast("struct dc_k *", v).Z, ffi.C.DC_N, ffi.C.DC_C, ffi.C.DC_M, ffi.C.Z)
print(pcall(function() v.X = 1 end))
