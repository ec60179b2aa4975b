-- permission `targets`
ffi.target "i686-unknown-linux-gnu"
