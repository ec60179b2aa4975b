-- Which place an error names: the frames that `error` counts. A function that ends in a call has none, nor has an operator or a
-- library function that hands on to a metamethod.
local ffi = require "ffi"
local function try(name, f, ...) print(name, pcall(f, ...)) end

-- Tail calls.
local function plain() error "x" end
local function tail() return error "x" end
local function tail_1() return error("x", 1) end
local function tail_2() return error("x", 2) end
local function tail_of_tail() return tail() end
local function call_of_tail() local r = tail() return r end
local function tail_of_tail_2() return tail_2() end
local function call_of_tail_2() local r = tail_2() return r end
local function no_tail() return (error "x") end
local function two() return error("x"), 1 end
local function any(...) return error(...) end
for i, f in ipairs { plain, tail, tail_1, tail_2, tail_of_tail, call_of_tail, tail_of_tail_2, call_of_tail_2, no_tail, two } do
  local ok, message = pcall(f)
  print(i, ok, message)
end
for level = 0, 4 do try("any " .. level, any, "x", level) end
try("any", any, "x") try("nothing", any) try("nil", any, nil, 1) try("number", any, 5) try("table", function() return (select(2, pcall(any, {}))) == nil end)
try("fraction", any, "x", 1.9) try("negative", any, "x", -1) try("text", any, "x", "1")
local object = {}
function object:fail(message) return error(message) end
try("method", object.fail, object, "q")
function object.error(message) return "own " .. message end
try("own", function() return object.error "x" end)
try("own", function() local error = function(message) return "local " .. message end return error "x" end)
try("chain", function() return error("x").y end)
print((pcall(function() return error { 1 } end)))
try("if", function() if true then return error("x") else return 1 end end)
try("lines", function()
  return error(
    "x" ..
    "y")
end)
try("chunk", loadstring("return error 'y'", "=c"))
try("chunk", loadstring("return error('y', 2)", "=c"))
try("coroutine", function() local r = coroutine.wrap(function() return error "z" end)() return r end)
print(xpcall(function() return error "x" end, function(message) return message .. "!" end))

-- Metamethods.
for level = 1, 3 do
  local events = {}
  for _, name in ipairs { "concat", "eq", "lt", "le", "mod", "add", "index", "newindex", "call", "unm", "len" } do
    events["__" .. name] = function() error("in " .. name, level) end
  end
  local t, u = setmetatable({}, events), setmetatable({}, events)
  try("concat", function() return t .. 1 end)
  try("concat", function() local x = 1 .. 2 .. t return x end)
  try("eq", function() local x = t == u return x end)
  try("ne", function() local x = t ~= u return x end)
  try("lt", function() local x = t < u return x end)
  try("ge", function() local x = t >= u return x end)
  try("mod", function() local x = t % u return x end)
  try("add", function() local x = t + 1 return x end)
  try("index", function() local x = t.x return x end)
  try("newindex", function() t.x = 1 end)
  try("call", function() t() end)
  local ct = ffi.metatype("struct { int a; }", events)
  local c = ct()
  try("c concat", function() local x = c .. 1 return x end)
  try("c eq", function() local x = c == c return x end)
  try("c eq", function() local x = c ~= nil return x end)
  try("c lt", function() local x = c < 1 return x end)
  try("c mod", function() local x = c % 1 return x end)
  try("c add", function() local x = c + 1 return x end)
  try("c index", function() local x = c.x return x end)
  try("c newindex", function() c.x = 1 end)
  try("c call", function() c() end)
  try("c unm", function() local x = -c return x end)
  try("c len", function() local x = #c return x end)
  local function with(event) return { [event] = function() error("in " .. event, level) end } end
  try("new", function() ffi.metatype("struct { int b; }", with "__new")() end)
  try("tostring", function() tostring(setmetatable({}, with "__tostring")) end)
  try("print", function() print(setmetatable({}, with "__tostring")) end)
  try("c tostring", function() tostring(ffi.metatype("struct { int b; }", with "__tostring")()) end)
  try("c pairs", function() pairs(ffi.metatype("struct { int b; }", with "__pairs")()) end)
  try("c method", function() ffi.metatype("struct { int b; }", { __index = { m = function() error("in m", level) end } })():m() end)
  try("sort", function() table.sort({ 3, 2, 1 }, function() error("in sort", level) end) end)
  try("gsub", function() local x = ("x"):gsub(".", function() error("in gsub", level) end) end)
  try("iterator", function() for _ in function() error("in iterator", level) end do end end)
  try("pcall", function() return select(2, pcall(function() error("in pcall", level) end)) end)
end

-- A reader that fails makes load fail.
print((load(function() error "in reader" end)))
local pieces = { "return ", 5, "" }
print(load(function() return table.remove(pieces, 1) end)(), (load(function() return {} end)))
