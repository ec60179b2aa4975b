-- permission `varargs`
pixels.print_format "%n"
