-- permission `integer_to_pointer`
ffi.eval "(char *)0x1000"
