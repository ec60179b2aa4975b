-- permission `load`
ffi.load "c"
