-- out of bounds
return image[-1]
