-- permission `function_pointer_casts`
ffi.cast("long (*)(long)", pixels.brightest)
