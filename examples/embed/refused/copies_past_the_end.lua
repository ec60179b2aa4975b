-- bytes
ffi.copy(image, ffi.new "uint8_t[100]", 100)
