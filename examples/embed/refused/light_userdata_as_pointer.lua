-- permission `userdata_to_pointer`
ffi.cast("void *", host_pointer)
