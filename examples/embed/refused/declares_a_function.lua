-- permission `declare_types`
ffi.cdef "int system(const char *command);"
