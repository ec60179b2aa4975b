-- Functions of types that no other has, declared, looked up and called: LUA new_signature.lua N. The texts are made before, so that
-- the instructions of a run with N, less those of one with 0, are those of the library:
--   for n in 0 10000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null LUA new_signature.lua $n; done
local ffi = require "ffi"
local MOST = 10000
local types = { "int", "double", "unsigned int", "float", "int64_t", "short" }
local names, texts = {}, {}
for i = 1, MOST do
  local digits, parameters = i, {}
  for p = 1, 6 do
    parameters[p] = types[digits % #types + 1]
    digits = math.floor(digits / #types)
  end
  names[i] = "signature" .. i
  texts[i] = ("int %s(%s) __asm__(\"getppid\");"):format(names[i], table.concat(parameters, ", "))
end
local count, C = tonumber(arg[1]), ffi.C
local start = os.clock()
for i = 1, count do
  ffi.cdef(texts[i])
  C[names[i]](1, 2, 3, 4, 5, 6)
end
if count > 0 then print(("%.0f ns"):format((os.clock() - start) / count * 1e9)) end
