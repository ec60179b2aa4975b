-- permission `function_pointer_casts`
ffi.cast("int (*)(int)", ffi.new "int[4]")(1)
