-- Objects of every kind are in use when the Lua state closes, made in an order that the first argument draws. Their finalisers, which Lua
-- runs in whatever order, print their names, each as often as expected; nothing is printed on standard error.

-- An object of Lua with a finaliser, where Lua 5.1 has proxies only.
local function watched(finalise)
  if not newproxy then return setmetatable({}, { __gc = finalise }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = finalise
  return proxy
end

-- Values older than the library are finalised after it is closed: in their finalisers its functions raise errors, and C values can be read.
local later, read
local older = watched(function()
  for name, f in pairs(later) do
    local ok, message = pcall(f, 1, 2, 3)
    if ok and f ~= read or not ok and not tostring(message):find "closed" then io.write(name, ": ", tostring(ok), " ", tostring(message), "\n") end
  end
  io.write "older\n"
end)

-- In LuaJIT `require "ffi"` is its own.
local ours = require "ffi".addressof and "ffi" or "cthunk"
local ffi = require(ours)
ffi.cdef [[
  int abs(int); int toupper(int); double fabs(double); double cbrt(double); int snprintf(char *, size_t, const char *, ...);
  unsigned crc32(unsigned, const char *, unsigned); unsigned adler32(unsigned, const char *, unsigned); const char *zlibVersion(void);
  void qsort(void *, size_t, size_t, int (*)(const int *, const int *));
  struct close_point { int x, y; }; struct close_owner { int n; };
]]
local hot, buffer = {}, ffi.new "char[64]"
for i = 1, 50 do hot[i] = ffi.C.toupper(97) end
ffi.metatype("struct close_owner", {
  __gc = function(o) o.n = ffi.C.abs(o.n) io.write "metatype\n" end,
  __index = { double = function(o) return o.n * 2 end },
})
local function open_zlib() return ffi.load(pcall(ffi.load, "z") and "z" or "libz.so.1") end

local kept, expected = {}, {}
local function finalised(name, body)
  expected[#expected + 1] = name
  return function(o)
    body(o)
    io.write(name, "\n")
  end
end
local kinds = {
  function() kept.cdata = ffi.gc(ffi.new "int[4]", finalised("cdata", function(o) o[0] = ffi.C.abs(-5) assert(o[0] == 5) end)) end,
  function() kept.pointer = ffi.gc(ffi.cast("int *", ffi.new "int[2]"), finalised("pointer", function(o) assert(ffi.C.cbrt(8) == 2) end)) end,
  function()
    expected[#expected + 1] = "metatype"
    kept.owner = ffi.new("struct close_owner", -3)
  end,
  -- A library that is loaded after, or before, what its functions let go of.
  function()
    kept.late = ffi.gc(ffi.new "struct close_point", finalised("library", function(o)
      o.x = kept.zlib.crc32(0, "abc", 3) % 1000
      assert(ffi.string(kept.zlib.zlibVersion()):find "%d")
    end))
  end,
  function()
    kept.zlib = open_zlib()
    assert(kept.zlib.crc32(0, "abc", 3) > 0)
  end,
  function() kept.math = ffi.load "libm.so.6" for i = 1, 20 do assert(kept.math.fabs(-i) == i) end end,
  function()
    kept.callback = ffi.cast("int (*)(int)", function(x) return x + 1 end)
    kept.calls = ffi.gc(ffi.new "int[1]", finalised("callback", function(o)
      assert(kept.callback(4) == 5)
      local list = ffi.new("int[3]", { 3, 1, 2 })
      ffi.C.qsort(list, 3, 4, function(a, b) return a[0] - b[0] end)
      assert(list[0] == 1 and list[2] == 3)
    end))
  end,
  function()
    kept.scope = ffi.scope()
    kept.scope.cdef "struct inner { short s; }; int abs(int);"
    kept.inner = kept.scope.gc(kept.scope.new("struct inner", 3), finalised("scope", function(o)
      assert(kept.scope.sizeof "struct inner" == 2 and kept.scope.C.abs(-o.s) == 3)
    end))
  end,
  -- A finaliser that makes all that again, and garbage of it.
  function()
    kept.maker = ffi.gc(ffi.new "int[1]", finalised("maker", function(o)
      for i = 1, 3 do
        local zlib = open_zlib()
        assert(zlib.adler32(1, "abc", 3) > 0)
        kept["made" .. i] = ffi.gc(ffi.new "int[3]", function() zlib.crc32(0, "", 0) end)
        ffi.gc(ffi.new "int[3]", function() zlib.crc32(0, "", 0) end)
        ffi.cast("int (*)(int)", function(x) return x end)(i)
        ffi.scope().cdef "struct made { int i; };"
        kept["type" .. i] = ffi.typeof("struct { int a[$]; }", i)
      end
      collectgarbage()
      collectgarbage()
    end))
  end,
  function()
    kept.suspended = coroutine.wrap(function()
      local inside = ffi.gc(ffi.new "int[1]", finalised("coroutine", function(o) assert(ffi.C.snprintf(buffer, 64, "%d", ffi.cast("int", 42)) == 2) end))
      coroutine.yield(inside)
    end)
    kept.suspended()
  end,
  function() kept.variadic = ffi.C.snprintf(buffer, 64, "%s %g", "text", 2.5) end,
  function()
    kept.task = ffi.async and ffi.async(ffi.C.abs)
    if kept.task then pcall(kept.task, -3) end
  end,
  function() kept.object = watched(finalised("object", function() assert(ffi.new("int[2]", 1, 2)[1] == 2 and ffi.C.toupper(98) == 66) end)) end,
  -- Its library is garbage with it, and so is finalised before it or after it.
  function()
    for i = 1, 3 do
      local zlib = open_zlib()
      ffi.gc(ffi.new "int[1]", finalised("garbage", function() assert(zlib.crc32(0, "abc", 3) == 0x352441C2) end))
    end
  end,
}

local seed = tonumber(arg and arg[1] or 1)
local function draw(n)
  seed = (seed * 16807 + 11) % 2147483647
  return seed % n + 1
end
for i = #kinds, 2, -1 do
  local j = draw(i)
  kinds[i], kinds[j] = kinds[j], kinds[i]
end
for i, make in ipairs(kinds) do
  make()
  if draw(3) == 1 then collectgarbage() end
end
later = { abs = ffi.C.abs, toupper = ffi.C.toupper, snprintf = ffi.C.snprintf, new = ffi.new, typeof = ffi.typeof, cast = ffi.cast, cdef = ffi.cdef, load = ffi.load,
  string = ffi.string, method = function() return kept.owner:double() end, call = function() return kept.callback(1) end,
  library = function() return kept.zlib.crc32(0, "", 0) end, looked_up = function() return ffi.C.fabs(1) end, again = function() return require(ours).new "int" end }
function read() return buffer[0] end
later.read = read
for name, f in pairs(later) do
  if name ~= "load" then for _ = 1, 3 do pcall(f, 1) end end
end
_G.kept, _G.older = kept, older
expected[#expected + 1] = "older"
table.sort(expected)
io.write("expected ", table.concat(expected, " "), "\n")
