-- permission `declare_types`
ffi.cdef "extern char **environ;"
