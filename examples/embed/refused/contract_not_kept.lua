-- bytes
pixels.brighten(image, count + 1, 1)
