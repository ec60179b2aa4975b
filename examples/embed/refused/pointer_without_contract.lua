-- permission `uncontracted_pointers`
pixels.uncontracted(image)
