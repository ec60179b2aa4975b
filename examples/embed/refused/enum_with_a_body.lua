-- permission `declare_types`
ffi.new "enum <% ONE %>"
