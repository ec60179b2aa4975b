-- permission `foreign_finalizers`
ffi.gc(pixels.make_canvas(), type)
