-- out of range
return image[-1]
