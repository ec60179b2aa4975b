-- After how many calls a thunk has paid for itself: the time to compile one, and what a call costs without and with it.
-- Run twice, for the library decides once a process:
--   CTHUNK_HOT=0 LUA threshold.lua; CTHUNK_HOT=1000000000 LUA threshold.lua
local ffi = require "ffi"
local clock = os.clock
local types = { "int", "double", "void *", "int64_t", "float", "unsigned char" }
local values = { 1, 1.5, nil, 2, 2.5, 3 }

-- Functions of different shapes, all of them the C library's getpid.
local function shapes(parameters, count)
  local made = {}
  for shape = 1, count do
    local digits, declared = shape * 7, {}
    for p = 1, parameters do
      declared[p] = types[digits % #types + 1]
      digits = digits // #types
    end
    local name = ("t%d_%d"):format(parameters, shape)
    ffi.cdef(("int %s(%s) __asm__(\"getppid\");"):format(name, table.concat(declared, ", ")))
    local arguments = { n = parameters }
    for p = 1, parameters do
      for t = 1, #types do
        if declared[p] == types[t] then arguments[p] = values[t] end
      end
    end
    made[shape] = { ffi.C[name], arguments }
  end
  return made
end

local function call(shape) return shape[1](table.unpack(shape[2], 1, shape[2].n)) end

for _, parameters in ipairs { 1, 3, 6 } do
  local made = shapes(parameters, parameters == 1 and 6 or 100)
  local start = clock()
  for _, shape in ipairs(made) do call(shape) end
  local first = (clock() - start) / #made
  start = clock()
  for _ = 1, 1000 do
    for i = 1, 6 do call(made[i]) end
  end
  local later = (clock() - start) / 6000
  print(("%d parameters: first call %.2f µs, each later one %.0f ns"):format(parameters, first * 1e6, later * 1e9))
end
