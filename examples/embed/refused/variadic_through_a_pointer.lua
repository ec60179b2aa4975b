-- permission `varargs`
ffi.cast("int (*)(const char *, ...)", pixels.print_format) "%n"
