-- limit `callbacks`
for i = 1, 100 do ffi.cast("uint8_t (*)(uint8_t)", function(g) return g end) end
