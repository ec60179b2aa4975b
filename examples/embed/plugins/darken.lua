-- A module of the host.
local gray = require "gray"
for i = 0, count - 1 do
  image[i] = gray.half(image[i])
end
