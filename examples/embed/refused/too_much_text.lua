-- limit `declaration_bytes`
for i = 1, 10000 do ffi.typeof("int[" .. i .. "]") end
