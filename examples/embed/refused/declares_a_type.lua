-- permission `declare_types`
ffi.cdef "struct mine { int n; };"
