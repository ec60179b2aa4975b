-- permission `declare_types`
ffi.new "struct { char *forged; }"
