-- permission `declare_types`
ffi.new("struct { int (*f)(int); }", ffi.cast("void *", ffi.new "int[4]")).f(1)
