loaded_without_value = select("#", ...)
