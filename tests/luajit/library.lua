-- Lua 5.1's libraries as LuaJIT has them.
print(_VERSION, jit.os, jit.arch, jit.version_num, type(jit.status()), (jit.version:match "^LuaJIT 2%.1"))
jit.on() jit.off() jit.flush() jit.opt.start("hotloop=10") require("jit").off(function() end, true)
print(type(require "jit"), require "bit" == bit, require "jit.opt" == jit.opt)

print(string.format("%d %i %s %5.1f %x %X %u %5d|%-5s|%05d %c %q %%", 3.7, -3.7, 4.0, 2, 255, 255, 2 ^ 32, 5LL, "a", 42, 65, "a\nb"))
print(string.format("%d %x %s %u %d", 5LL, 0xffffffffffffffffULL, 6LL, 7ULL, -1LL), ("%s"):format(nil), ("%s %s"):format({} ~= nil, 1 / 4))
print(string.format("%.1f %.0f %.0f %.2f %.3g %.2e %g %g %g %.14g %.17g", 0.25, 0.5, 2.5, 0.125, 1.125, 1.125, 1 / 0, 0 / 0, 1e20, 2 ^ 53, 0.1))
print((pcall(string.format, "%d", "x")), (pcall(string.format, "%d")))
print(("x"):rep(2.9), ("hello"):sub(1, 2.5), ("hello"):byte(1.9), string.char(72.5, 105), ("abc"):find("b", 1.5), ("abc"):sub(-2.5))
print(string.len(123), string.rep(1, 3), ("1 2"):gsub("%d", function(d) return d * 2 end), string.upper(1.5), ("x"):rep(0), ("ab"):reverse())
print(table.concat({ 1, 2.5, 3, "x" }, ","), table.concat({ 10 / 2 }), table.concat({}, ","), table.concat({ 1, 2, 3 }, "-", 2, 3), table.concat({1, 2}, 0))
print(select("#", 1, nil, 3), select(2.5, "a", "b", "c"), unpack({ 1, 2, 3 }, 2), unpack({ 1, 2, 3 }, 1, 2.5))
print(tonumber "10", tonumber "0x10", tonumber "1e1", tonumber "z", tonumber("ff", 16), tonumber(5LL), tonumber(2 ^ 53), tonumber(nil), tonumber "", tonumber " 5 ")
print(tonumber(0xffffffffffffffffULL), tonumber(-1LL), type(tonumber(1LL)), (pcall(tonumber)))
print(math.floor(3.7), math.ceil(3.2), math.pow(2, 10), math.log10(1000), math.max(1, 2.5), math.min(3, 2), math.abs(-4), math.fmod(7, 3))
print(math.frexp(8), math.ldexp(0.5, 4), math.cosh(0), math.sinh(0), math.tanh(0), math.atan2(1, 1) == math.pi / 4, math.modf(3.5), math.sqrt(16), math.pi)
print(table.getn { 1, 2, 3 }, table.maxn { 1, 2, [10] = 3 }, #table.move({ 1, 2, 3 }, 1, 3, 2))
table.foreach({ 5 }, print)
table.foreachi({ 6, 7 }, print)
local new, clear = require "table.new", require "table.clear"
local t = new(10, 10)
t[1], t.x = 1, 2
clear(t)
print(next(t), new == table.new, clear == table.clear)
table.insert(t, 5) table.insert(t, 1, 4) table.insert(t, 2.7, 9)
print(table.concat(t, " "), table.remove(t), table.remove(t, 1), #t)
print(coroutine.running() == nil, coroutine.wrap(function() return type(coroutine.running()) end)())
print(os.execute("exit 3"), os.execute("true"), type(os.execute()), os.date("!%Y-%m-%d", 86400.9), type(os.time()))
print(type(newproxy()), type(getmetatable(newproxy(true))), type(gcinfo()), loadstring == nil)
print(type(print), type(nil), type(io.stdout), type(require "ffi".C), type(1LL), type(require "ffi".typeof "int"), type(require "ffi".new "int[1]"))
print((pcall(type)))
print(xpcall(function(a, b) return a + b end, debug.traceback, 1, 2))
print(pcall(error, { 1 }), pcall(error, "m", 0), pcall(error))
print(#arg, arg[1], ...)
io.write(1, " ", 2.5, " ", 1e15, " ", "s", "\n")
io.stdout:write(3, " ", 10 / 2, "\n")
print(string.format("%5s|%-6s|%s", 1, 2.5, 1e15), ("%3d%%"):format(50), #("%10.2f"):format(3.14159))
for w, d in ("a=1, b=2"):gmatch "(%w+)=(%w+)" do io.write(w, d + 1, " ") end print()
print(bit.tobit(0xffffffff), bit.tobit(2 ^ 40 + 5), bit.tobit(-1.5), bit.tobit(2.5), bit.tobit(3.5), bit.tobit(5LL), bit.tobit(0x1ffffffffULL))
print(bit.bnot(0), bit.bnot(0LL), bit.bnot(0ULL), bit.band(0xff, 0x0f), bit.band(0xffLL, 0x0f), bit.band(255, 15, 7), bit.band(5))
print(bit.bor(1, 2, 4), bit.bor(1, 2ULL, 4LL), bit.bxor(0xff, 0x0f), bit.bxor(-1, 1LL), bit.bor(0xffffffff, 0), bit.bor(2 ^ 31, 1ULL))
print(bit.lshift(1, 31), bit.lshift(1, 32), bit.lshift(1, 33), bit.lshift(1LL, 40), bit.lshift(1ULL, 63), bit.lshift(1LL, 64), bit.lshift(1, 4LL))
print(bit.rshift(-1, 28), bit.rshift(-1LL, 60), bit.arshift(-256, 4), bit.arshift(-256LL, 4), bit.arshift(0x8000000000000000ULL, 60))
print(bit.rol(0x12345678, 8), bit.ror(0x12345678, 8), bit.rol(0x123456789abcdef0ULL, 16), bit.ror(1LL, 1), bit.rol(1, 33))
print(bit.bswap(0x12345678), bit.bswap(0x0123456789abcdefLL), bit.tohex(255), bit.tohex(-1), bit.tohex(255, 4), bit.tohex(255, -4), bit.tohex(-1LL), bit.tohex(0xabcULL, 5))
print(bit.tohex(0x12345678, 2), bit.tohex(1, 10), bit.band("7", 3), bit.tohex(2 ^ 32 + 1))
print((pcall(bit.band)), (pcall(bit.band, nil)))
print((pcall(bit.band, {})), (pcall(bit.lshift, 1)), (pcall(bit.tobit, "x")))

-- A proxy is finalised by the metamethod that it gets later.
do
  local seen = 0
  local first, second = newproxy(true), newproxy(true)
  getmetatable(first).__gc = function() seen = seen + 1 end
  local third = newproxy(second)
  print(next(getmetatable(second)), getmetatable(third) == getmetatable(second), third == second)
  getmetatable(second).__gc = function() seen = seen + 10 end
  first, second, third = nil
  collectgarbage() collectgarbage()
  print(seen)
  getmetatable(newproxy(true)).__index = {}
  collectgarbage()
end
