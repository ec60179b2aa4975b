-- A callback: C asks Lua for every pixel.
pixels.map_pixels(image, count, function(grey) return grey < 128 and 0 or 255 end)
