-- limit `cdata_bytes`
kept = {} for i = 1, 100 do kept[i] = ffi.new "char[100000]" end
