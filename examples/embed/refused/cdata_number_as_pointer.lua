-- permission `integer_to_pointer`
ffi.cast("char *", ffi.new("uintptr_t", 0x1000))
