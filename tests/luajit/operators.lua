-- Comparisons and concatenations: their answers, and where their errors are.
local ffi = require "ffi"
ffi.cdef [[
  void free(void *); void *malloc(size_t); int abs(int);
  typedef struct { int x; } point_t;
]]
local free, malloc = ffi.C.free, ffi.C.malloc

-- Addresses.
local word = "abc"
print(ffi.cast("void *", free) == free, free == ffi.cast("void *", free), free == free, free == malloc, free ~= malloc)
print(free == nil, free == 1, free == print, free == "x", ffi.cast("void *", free) == malloc, free ~= ffi.cast("char *", malloc))
print(ffi.cast("const char *", word) == word, word == ffi.cast("const char *", word), ffi.cast("const char *", word) == "abd")
print(ffi.new("char[4]", word) == word, ffi.new("int[2]") == word, 1LL == "x", ffi.new("point_t") == "x")
print((free < malloc) ~= (malloc < free), free <= free, free >= free, free < free, (free > malloc) == not (free <= malloc))

-- Words and places.
local function fails(line, f, ...)
  local ok, message = pcall(f, ...)
  print(line, ok, (tostring(message):gsub("^[^:]*:", ""):gsub("upvalue '%w+' %(a (%w+) value%)", "a %1 value"):gsub("struct %d+", "struct"):gsub("local '%w+' %(a (%w+) value%)", "a %1 value")
    :gsub("global '%w+' %(a (%w+) value%)", "a %1 value"):gsub("field '%w+' %(a (%w+) value%)", "a %1 value"):gsub("%(%w* ?%*?%)'", "()'")))
end
local missing, empty = nil, {}
fails(1, function() return missing .. "x" end)
fails(2, function() return "x" .. missing end)
fails(3, function() return 1 .. missing .. 2 end)
fails(4, function() return empty .. "x" end)
fails(5, function() return "x" .. empty .. missing end)
fails(6, function() return 1LL .. "x" end)
fails(7, function() return "x" .. ffi.new "int[2]" end)
fails(8, function() return ffi.new "int[2]" < "x" end)
fails(9, function() return ffi.new "int[2]" < 1 end)
fails(10, function() return ffi.new "int[2]" < print end)
fails(11, function() return ffi.new "int[2]" <= empty end)
fails(12, function() return 1 < "x" end)
fails(13, function() return empty < empty end)
fails(14, function() return print < print end)
fails(15, function() return true < 1 end)
fails(16, function() return ffi.new "int[2]" < ffi.new "char[2]" end)
fails(17, function() return empty % 2 end)
fails(18, function() return 2 % missing end)
fails(19, function() return "x" % 2 end)
fails(20, function() return 5 % ffi.new "point_t" end)
fails(21, function() return setmetatable({}, { __concat = function() error("from within", 0) end }) .. 1 end)
fails(22, function() return setmetatable({}, { __eq = function() error("from within", 0) end }) == setmetatable({}, {}) end)

-- Metamethods: which one, with what, in which order.
local log = {}
local mt = {
  __concat = function(a, b) log[#log + 1] = tostring(type(a)) .. type(b); return type(a) == "table" and a or b end,
  __eq = function() log[#log + 1] = "eq"; return 1 end,
  __mod = function(a, b) return "mod", b end,
}
local o, p = setmetatable({}, mt), setmetatable({}, mt)
print(o .. "x" == o, "x" .. o == o, 1 .. 2 .. o == o, o .. 1 .. 2 == o, o .. p == o, table.concat(log, " "))
print(o == p, o ~= p, o == o, o ~= {}, o == 1, (o % 3), (3 % o), #log)
print(setmetatable({}, { __eq = function() return true end }) == setmetatable({}, { __eq = function() return true end }))
getmetatable("").__mod = function(text, value) return text:format(value) end
print("<%s>" % "value", "%d" % 3, "7" % 4)
getmetatable("").__mod = nil
