-- LuaJIT's manual, section by section: extensions, the FFI's API and semantics, bit, and mistakes that programs make.
local ffi, bit = require "ffi", require "bit"

local function fails(f, ...)
  local ok, message = pcall(f, ...)
  print(ok, (tostring(message):gsub("^[^:]*:%d+: ", ""):gsub("0x%x+", "ADDRESS"):gsub("bad argument #(%d) to '[^']*'", "bad argument #%1"):gsub(" ?%((%a+) '%w+'%)", ""):gsub("constant '%w+' %((a %a+ value)%)", "%1"):gsub("struct %d+", "struct")))
end

-- Extensions: bit.*
print(bit.tobit(0xffffffff), bit.tobit(0xffffffff + 1), bit.tobit(2^40 + 1234), bit.tobit(-2^31), bit.tobit("0x10"))
print(bit.tohex(1), bit.tohex(-1), bit.tohex(0xffffffff), bit.tohex(-1, -8), bit.tohex(0x21, 4), bit.tohex(0x87654321, 4), bit.tohex(255, -2))
print(bit.bnot(0), bit.bnot(0x12345678), bit.bnot(-1), bit.bnot(0xffffffff))
print(bit.bor(1, 2, 4, 8), bit.band(0x12345678, 0xff), bit.bxor(0xa5a5f0f0, 0xaa55ff00), bit.bor(7), bit.band(-1, 2^32 - 1))
print(bit.lshift(1, 0), bit.lshift(1, 8), bit.lshift(1, 40), bit.lshift(0x87654321, 12), bit.rshift(256, 8), bit.rshift(-256, 8), bit.rshift(0x87654321, 12))
print(bit.arshift(256, 8), bit.arshift(-256, 8), bit.arshift(0x87654321, 12), bit.rol(0x12345678, 12), bit.ror(0x12345678, 12), bit.bswap(0x12345678), bit.bswap(0x78563412))
print(bit.band(0x1ffffffffLL, -2), bit.bor(1ULL, 2), bit.lshift(1LL, 40), bit.rshift(-1LL, 60), bit.arshift(-1LL, 60), bit.rol(1ULL, 63), bit.bswap(0x0102030405060708LL), bit.bnot(0ULL), bit.tohex(-1LL), bit.tohex(255ULL, 4), bit.bxor(5LL, 3ULL))
fails(bit.band) fails(bit.band, 1, {}) fails(bit.lshift, 1) fails(bit.tohex, "x") fails(bit.bnot, nil)

-- Extensions: jit.*
print(type(jit.version), jit.version_num >= 20000, jit.os, jit.arch, type(jit.status()), jit.off(), jit.on(), jit.flush(), jit.off(fails), jit.on(fails, true), jit.flush(fails))
print(require "jit" == jit, require "bit" == bit, require "ffi" == ffi, package.loaded.jit == jit, type(jit.opt.start), (pcall(require, "jit.opt")))

-- Extensions: enhancements to the standard library
print(xpcall(function(...) return select("#", ...), ... end, print, 1, nil, 3))
print(select(2, xpcall(function(x) error(x) end, function(m) return "handled " .. m end, "it")))
print(type(load(function() return nil end)), load("return ...", "=c", "t", {})(5), load("return x", "=c", "t", { x = "environment" })(), load("x = 1", "=c", "b"))
print(pcall(load, "return 1", "=c", "x"), (loadstring "return 1LL" ()), tostring(0/0), tostring(-(0/0)), tostring(1/0), tostring(-1/0), string.format("%d", 3), tonumber("0x1p4"), tonumber("nan") ~= tonumber("nan"))
print(("%q"):format('a"b\\c\nd\0e\rf'), ("%q"):format("\1\0012\127\200"), ("%s"):format("a\0b") == "a\0b", ("%5s|%-5s|%.1s"):format("ab", "ab", "ab"), ("%s %s"):format(nil, true))
print(("x"):rep(3, ","), ("x"):rep(0, ","), ("x"):rep(1, ","), (""):rep(5), ("ab"):rep(2), ("abc"):sub(-2), ("abc"):sub(2, -2), ("abc"):byte(1, -1))
print(string.find("a\0b", "\0", 1, true), ("a.b"):find(".", 1, true), ("abc"):find("b", -1), ("abc"):find("", 10), ("abc"):find("", 4), ("a,b,,c"):gsub(",", ";"), ("abc"):gsub("%w", "%0%0", 2), ("abc"):gsub("", "-"))
print(("hello world"):match "^(%w+)", ("key = value"):match "(%w+)%s*=%s*(%w+)", ("[[x]]"):match "%[%[(.-)%]%]", ("f(a(b)c)d"):match "%b()", ("THE (quick) fox"):find "%((%a+)%)", ("x"):match "()", ("abc"):match("b()"))
print(pcall(string.rep, "x", -1), pcall(string.gsub, "x", "(", ""), pcall(string.gsub, "x", "%", ""), pcall(string.find, "x", "[a"), (pcall(string.format, "%d", "x")), (pcall(string.format, "%d")))
print(table.concat(require "table.new"(4, 0), ","), #require "table.new"(0, 4), table.move({ 1, 2, 3 }, 2, 3, 1)[1], unpack(table.move({ 1, 2, 3 }, 1, 3, 3)))
local cleared = { 1, 2, 3, x = 4 } require "table.clear"(cleared) print(next(cleared), #cleared, rawequal(cleared, cleared), table.maxn { 1, 2, [10] = 3, [2.5] = 1 }, table.getn { 1, 2 })
print(math.log(8, 2), math.log(100, 10), math.log10(1000), math.pow(2, 10), math.fmod(7, 3), math.modf(3.7), math.huge, -math.huge, math.pi, math.ldexp(1, 3), math.max(3, 7, 5), math.min(3, -7, 5), math.abs(-3.5), math.sqrt(2), math.cosh(0), math.deg(math.pi), math.rad(180))
print(pcall(math.floor, "x"), pcall(math.max), pcall(math.abs, {}), math.floor(-7 / 2), math.ceil(7 / 2), -7 % 4, 7 % -4, 2^0.5, 7 / 0, -7 / 0, 1e308 * 10)

-- Coroutines: fully resumable
local iterate = coroutine.wrap(function() for k in pairs { a = 1 } do coroutine.yield(k) end end) print(iterate(), coroutine.running(), coroutine.isyieldable())
print(coroutine.resume(coroutine.create(function() error("within", 0) end))) print(coroutine.status(coroutine.create(print)), coroutine.resume(coroutine.create(function(...) return ... end), 1, nil))
print(coroutine.wrap(function() table.sort({ 3, 1, 2 }, function(a, b) return a < b end) return "sorted" end)())

-- FFI: literals, ctypes, conversions
print(1LL, 2ULL, -1ULL, 0xffffffffffffffffULL, 9223372036854775807LL + 1, 5LL / 2, -5LL / 2, 5LL % 3, -5LL % 3, 2LL ^ 10, 1LL + 1.5, 1ULL - 2, -(1ULL), 10LL * 0.5, 7ULL / 0, 7LL % 0)
print(1LL == 1, 1LL == 1ULL, 1LL < 2, 2 > 1LL, -1LL < 0ULL, 1LL ~= 2, 1LL == nil, 1LL == "1", 1LL <= 1.5, not 0LL, #tostring(1LL), tostring(1LL), tonumber(5LL) == 5, 5 == tonumber(5ULL))
print(ffi.typeof "int", ffi.typeof "const char *", ffi.typeof "int[10]", ffi.typeof "int (*)()", ffi.typeof "struct { int x; }" ~= nil, ffi.typeof "uint8_t", ffi.typeof "unsigned long", ffi.typeof("int[$]", 5), ffi.typeof("$ *", ffi.typeof "short"))
print(ffi.sizeof "int", ffi.sizeof "long", ffi.sizeof "void *", ffi.sizeof "char[7]", ffi.sizeof("int[?]", 5), pcall(ffi.sizeof, "int[?]"), ffi.alignof "double", ffi.sizeof(1LL), ffi.sizeof "complex", ffi.sizeof "bool")
ffi.cdef [[
  typedef struct { uint8_t r, g, b, a; } pixel_t; typedef struct node { struct node *next; int value; } node_t; typedef union { uint32_t u; float f; uint8_t b[4]; } mix_t;
  enum shape { ROUND, SQUARE = 10, FLAT }; typedef struct { int len; double x[?]; } row_t; typedef int (*compare_t)(const int *, const int *);
  int abs(int); double sqrt(double); size_t strlen(const char *); int snprintf(char *, size_t, const char *, ...); void qsort(void *, size_t, size_t, compare_t); int toupper(int);
  typedef struct { int a : 3; unsigned b : 5; bool c : 1; } bits_t; static const int LIMIT = 42;
]]
local p = ffi.new("pixel_t", 1, 2, 3) print(p.r, p.g, p.b, p.a, ffi.new("pixel_t", { a = 9 }).a, ffi.new("pixel_t", { 7, 8 }).g, ffi.sizeof(p), ffi.offsetof("pixel_t", "b"), ffi.istype("pixel_t", p), ffi.istype("int", p))
local a = ffi.new("int[5]", { 10, 20, 30 }) print(a[0], a[2], a[4], ffi.new("int[3]", 7)[2], ffi.new("int[3]", { 7 })[2], ffi.new("int[?]", 2, 5, 6)[1], ffi.new("char[?]", 4)[3])
local q = a + 1 print(q[0], q[-1], (q + 1)[0], q - a, a == a + 0, a < q, q ~= a, (q - 1)[0], ffi.cast("int *", a)[1], tostring(ffi.typeof(q)))
local n = ffi.new("node_t") n.next, n.value = n, 5 print(n.next.next.value, n.next == n, n.next == ffi.cast("node_t *", n), ffi.new("node_t").next == nil)
local m = ffi.new("mix_t") m.f = 1 print(m.u, m.b[3], bit.tohex(m.u), ffi.new("mix_t", 5).u)
local b = ffi.new("bits_t", { -1, 33, true }) print(b.a, b.b, b.c, ffi.sizeof(b)) b.a = 3 b.c = false print(b.a, b.c)
print(ffi.C.SQUARE, ffi.C.FLAT, ffi.C.LIMIT, ffi.new("enum shape", "FLAT") == ffi.C.FLAT, ffi.new("enum shape", 10), ffi.cast("enum shape", 11) == "FLAT", tonumber(ffi.new("enum shape", "SQUARE")))
print(ffi.C.abs(-5), ffi.C.sqrt(2), ffi.C.strlen("four"), tonumber(ffi.C.strlen("seven77")), ffi.C.abs(-5.9), ffi.C.toupper(("x"):byte()))
local buffer = ffi.new("char[64]") print(ffi.C.snprintf(buffer, 64, "%d %s %.2f", ffi.cast("int", 7), "text", 1.5), ffi.string(buffer), ffi.string(buffer, 3), ffi.string(buffer + 2))
local numbers = ffi.new("int[4]", 4, 1, 3, 2) local callback = ffi.cast("compare_t", function(x, y) return x[0] - y[0] end) ffi.C.qsort(numbers, 4, 4, callback) callback:free() print(numbers[0], numbers[1], numbers[2], numbers[3])
ffi.copy(buffer, "copied") print(ffi.string(buffer)) ffi.copy(buffer, "abcdef", 3) print(ffi.string(buffer)) ffi.fill(buffer, 3, ("z"):byte()) print(ffi.string(buffer)) ffi.fill(buffer, 64) print(#ffi.string(buffer))
print(tonumber(ffi.cast("uint8_t", 300)), tonumber(ffi.cast("int8_t", 200)), tonumber(ffi.cast("uint32_t", -1)), tonumber(ffi.cast("int", 3.99)), tonumber(ffi.cast("int", -3.99)), ffi.cast("float", 0.1) == 0.1, tonumber(ffi.cast("uint16_t", 65537)), ffi.new("bool", 2) == true, ffi.cast("bool", 0) == false, ffi.cast("double", 5) == 5)
local row = ffi.new("row_t", 3, 3, { 1, 2, 3 }) print(row.len, row.x[2], ffi.sizeof(row), ffi.sizeof("row_t", 5))
local Point = ffi.metatype("struct { double x, y; }", { __add = function(l, r) return ffi.typeof(l)(l.x + r.x, l.y + r.y) end, __len = function() return 2 end, __index = { sum = function(s) return s.x + s.y end },
  __tostring = function(s) return ("(%g,%g)"):format(s.x, s.y) end, __eq = function(l, r) return l.x == r.x end, __call = function(s, k) return s.x * k end, __concat = function(l, r) return tostring(l) .. "&" .. tostring(r) end,
  __unm = function(s) return -s.x end, __lt = function(l, r) return l.x < r.x end, __le = function(l, r) return l.x <= r.x end, __mod = function(l, r) return "mod" end, __new = function(ct, x, y) return ffi.new(ct, x, y or x) end,
  __pairs = function(s) return next, { x = s.x } end, __ipairs = function(s) return ipairs { s.x, s.y } end })
local u, v = Point(1, 2), Point(3) print(tostring(u + v), #u, u:sum(), u == v, u ~= v, u(10), u .. v, u .. "s", "s" .. u, -u, u < v, u <= v, u > v, u % 2, 2 % u) for k, x in pairs(u) do print(k, x) end for i, x in ipairs(v) do io.write(i, "=", x, " ") end print()
print(ffi.abi "le", ffi.abi "64bit", ffi.abi "32bit", ffi.os == jit.os, ffi.arch == jit.arch, ffi.errno(5), ffi.errno(), type(ffi.C), pcall(ffi.abi, "nothing"))
local collected = 0 do local object = ffi.gc(ffi.new "int[1]", function() collected = collected + 1 end) object = nil end for _ = 1, 3 do collectgarbage() end print(collected)
print(ffi.new("complex", 1, 2), ffi.new("complex", 3), ffi.new("complex", 1, 2).re, ffi.new("complex", 1, 2).im, ffi.new("complex", 1, 2)[1], 2.5i, -1.5i)

-- Mistakes
fails(function() return ffi.new("int[3]").x end) fails(function() return ffi.new("pixel_t").nothing end) fails(function() ffi.new("pixel_t").nothing = 1 end) fails(function() return ffi.C.no_such_symbol_here end)
fails(function() return ffi.new("int", {}) end) fails(function() return ffi.new("int", "x") end) fails(function() return ffi.cast("int *", "x") end) fails(function() return ffi.new("pixel_t") + 1 end) fails(function() return ffi.new("node_t")() end)
fails(function() ffi.cdef "int x" end) print((pcall(ffi.typeof, "no_such_type")), (pcall(ffi.sizeof, "struct undefined_here"))) fails(ffi.string) fails(ffi.new) fails(ffi.cast, "int") fails(ffi.metatype, "int", {}) fails(ffi.load, "no_such_library_here_at_all" and nil)
fails(function() return #5 end) fails(function() return {} < {} end) fails(function() return 1 < "2" end) fails(function() return nil + 1 end) fails(function() return ("x")() end) fails(error) fails(error, nil) fails(error, "plain", 0) fails(function() error("here", 1) end)
fails(setmetatable, 1, {}) fails(setmetatable, setmetatable({}, { __metatable = "locked" }), {}) print(getmetatable(setmetatable({}, { __metatable = "locked" })), getmetatable("").__index == string)
print((loadstring "x ="), (loadstring "for"), (loadstring "break"), loadstring "local x = 08 return x" (), (loadstring "return 'unfinished"), (loadstring "return 0x"))

-- Values that metamethods return.
local odd = setmetatable({}, { __tostring = function() return nil end })
print(tostring(odd), ("%s"):format(odd), pcall(print, odd), select("#", tostring(odd)))
local twelve = setmetatable({}, { __tostring = function() return 12 end })
print(tostring(twelve), ("%s|%5s"):format(twelve, twelve), twelve)
for i, value in ipairs(setmetatable({ "raw" }, { __index = function() return "indexed" end, __ipairs = print })) do print(i, value) end
for key, value in pairs(setmetatable({ "raw" }, { __pairs = print })) do print(key, value) end
print(unpack(setmetatable({ 1 }, { __index = function() return "indexed" end }), 1, 2))
