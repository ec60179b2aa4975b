-- deadline of the script is over
for i = 1, 10 do ffi.gc(ffi.new "int[1]", function() while true do end end) end
collectgarbage()
collectgarbage()
return ffi.sizeof "int"
