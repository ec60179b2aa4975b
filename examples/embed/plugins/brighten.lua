-- A C function on the lent image.
pixels.brighten(image, count, 40)
ffi.C.log_number(pixels.brightest(image, count))
