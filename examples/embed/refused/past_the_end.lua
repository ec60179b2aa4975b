-- out of bounds
return image[count]
