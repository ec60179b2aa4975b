-- A handle of the library: opaque, and given back.
local canvas = pixels.make_canvas()
pixels.free_canvas(canvas)
