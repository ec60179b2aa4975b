-- permission `async`
ffi.async(pixels.brightest)(image, count)
