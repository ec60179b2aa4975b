-- permission `pointer_unions`
ffi.new("word", { number = 0x1000 })
