-- Texts, positions and times that Lua 5.1 accepts and later versions do not.
print(("abc"):gsub("b", "%x"), ("abc"):gsub("b", "%%"), (("abc"):gsub("b", "%"):gsub("%z", "0")), ("abc"):gsub("b", "<%0>"), ("abc"):gsub("(b)", "%1%1%q%%%"))
print(("hello"):gsub("l", function() return 1.5 end), ("hello"):gsub("l", function() return 3 end), ("hello"):gsub("l", function() end), ("hello"):gsub("(l)(l)", function(a, b) return a .. "-" .. b, 5 end))
print(("hello"):gsub("l", setmetatable({}, { __index = function(t, k) return k == "l" and 2^53 end })), ("hello"):gsub("l", { l = 10 / 2 }), ("hello"):gsub("l", { l = false }), (("x"):gsub("x", "5")), (("x"):gsub("x", 0.5)))
print(pcall(string.gsub, "a", "a", function() error("in", 0) end), pcall(string.gsub, "a", "a", function() return {} end))
for _, init in ipairs { 0, 1, 3, 4, 5, 10, -1, -10, 2.9, 1e10 } do print(init, ("abc"):find("", init), ("abc"):find("c", init, true), ("abc"):match("()", init), ("abc"):find("$", init)) end
print(("abc"):find("b", "2"))
print(pcall(error, 0), pcall(function() error(0) end), pcall(function() error(12.5) end), pcall(function() error(7, 0) end), pcall(function() error(3, 1) end), pcall(function() error(2^53, 1.5) end), pcall(function() error() end), pcall(function() error(nil) end), pcall(function() error({}, 1) end) == false, pcall(function() error("t", 2) end))
print(type(select(2, pcall(function() error(5, 0) end))), type(select(2, pcall(function() error(5) end))))
print(debug.traceback(12):match("^%S+"), debug.traceback("m"):match("^%S+"), type(debug.traceback({})), debug.traceback(1.5):match("^%S+"))
print(math.type, math.tointeger, math.ult, math.maxinteger, math.mininteger)
print(os.date("!%s %k %l %P %E %Ez %Q", 3600) == nil, os.date("!%k|%l|%P|%R|%D|%e|%G-%V|%%|%n|%t|", 86399), os.date("!%Y-%m-%d %H:%M:%S", 1e9), os.date("!", 0) == "", os.date("!%p", 0), os.date("!abc", 5), os.date("!*t", 100).sec, os.date("!*t", 100.9).min, #os.date() > 10, os.date("%Y") + 0 > 2000)
print(os.date("!" .. ("%Y"):rep(500), 0) == ("1970"):rep(500), os.date("!%Ey %Od", 0), os.date("!%H", "7200"), pcall(os.date, {}), pcall(os.date, "%Y", "x"), pcall(os.date, "%Y", {}), os.date("!%d", -86400), pcall(os.date, 5, 0), os.date(nil, 0) ~= nil)
local d = os.date("*t", 1e9) print(d.year, d.month, d.isdst, d.yday)
local ffi = require "ffi"
local t = { [tonumber(ffi.typeof "int")] = "int", [tonumber(ffi.typeof "double")] = "double" }
print(t[tonumber(ffi.typeof(ffi.new("int", 5)))], t[tonumber(ffi.typeof "int32_t")], t[tonumber(ffi.typeof "float")], tonumber(ffi.typeof "int") == tonumber(ffi.typeof "const int"), pcall(tonumber, ffi.typeof "int", 10), tonumber(ffi.C))
-- Errors of string.gsub are at the place of the call.
local function wrong() return ("x"):gsub("(", "") .. "" end
print(pcall(wrong))
-- A replacement that Lua makes itself may raise and yield errors of any type.
print(select(2, pcall(string.gsub, "a", "a", function() error({ 1 }) end))[1], select(2, pcall(string.gsub, "a", ".", setmetatable({}, { __index = function() error("x", 0) end }))))
for _, f in ipairs { function() string.rep() end, function() string.rep("x") end, function() string.rep({}, 2) end, function() string.rep("x", "y") end } do
  print((select(2, pcall(f)):gsub("^.-:%d+: ", "")))
end
