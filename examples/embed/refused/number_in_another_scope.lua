-- permission `integer_to_pointer`
ffi.scope().cast("char *", 0x1000)
