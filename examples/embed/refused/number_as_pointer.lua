-- permission `integer_to_pointer`
ffi.cast("char *", 0x1000)
