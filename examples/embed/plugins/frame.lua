-- The host's struct, and the image as an array.
local size = ffi.new("size", 4, 4)
for x = 0, size.width - 1 do
  image[x], image[(size.height - 1) * size.width + x] = 9, 9
end
ffi.C.log_number(image[0])
