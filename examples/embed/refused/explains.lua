-- permission `explain`
ffi.explain "int f(int)"
