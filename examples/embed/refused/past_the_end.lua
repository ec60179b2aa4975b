-- out of range
return image[count]
