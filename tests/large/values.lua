-- Values of a megabyte by value, thousands of arguments: through C and back. `...` is the library of tests/c/large.c.
local ffi = require "ffi"
local unpack = table.unpack or unpack
local C = ffi.load((...))
local ms = ffi.arch == "x64" and "__attribute__((ms_abi))" or ""
local function params(ty) return (ty .. ","):rep(4999) .. ty end
ffi.cdef((([[
  typedef struct { unsigned char c[1000001]; } large;
  long sum(int a, large x, double d); MS long sum_ms(int a, large x, double d);
  large make(int k); MS large make_ms(int k);
  long call(long (*f)(int, large, double), int k);
  MS long call_ms(long (*f)(int, large, double) MS, int k);
  long call_for(large (*f)(int), int k);
  double add(int n, ...);
]]):gsub("MS", ms)) .. "int many(" .. params "int" .. "); double many_doubles(" .. params "double" .. ");")

local function weighed(x)
  local sum = 0
  for i = 0, 1000000 do sum = sum + x.c[i] * (i % 251 + 1) end
  return sum
end

local x = C.make(3)
local want = weighed(x)
assert(weighed(C.make_ms(3)) == want)
for _ = 1, 3 do
  assert(C.sum(10, x, 5) == want + 15)
  assert(C.sum_ms(10, x, 5) == want + 15)
end
assert(coroutine.wrap(function() return C.sum(10, x, 5) end)() == want + 15)

-- Callbacks: from C, and called by Lua itself.
local seen
local function callback(a, n, d) seen = n.c[1000000] * 1000 + n.c[1] return a + d end
local last = x.c[1000000] * 1000 + x.c[1]
assert(C.call(callback, 3) == 3 and seen == last)
assert(C.call_ms(callback, 3) == 3 and seen == last)
assert(C.call_for(function() return x end, 3) == want)
seen = nil
assert(ffi.cast("long (*)(int, large, double)", callback)(7, x, 8) == 15 and seen == last)
assert(weighed(ffi.cast("large (*)(int)", function() return x end)(1)) == want)
local ok, message = pcall(C.call, function() error "from inside" end, 3)
assert(not ok and tostring(message):find("from inside", 1, true), message)

-- Many arguments. Lua 5.1 and LuaJIT unpack fewer than 8,000 values.
local list, sum = {}, 0
for i = 1, 5000 do list[i] = i % 100; sum = sum + list[i] * ((i - 1) % 10 + 1) end
assert(C.many(unpack(list)) == sum)
assert(C.many_doubles(unpack(list)) == sum)
assert(not pcall(C.many, 1, 2))
for _, n in ipairs { 100, 500, 7000, 20000 } do
  local list, sum = {}, 0
  for i = 1, n do list[i] = i + 0.5; sum = sum + list[i] * ((i - 1) % 7 + 1) end
  if pcall(unpack, list) then
    for _ = 1, 3 do assert(C.add(n, unpack(list)) == sum) end
    list[77] = print
    local ok, message = pcall(C.add, n, unpack(list))
    assert(not ok and tostring(message):find("bad argument #78", 1, true), message)
  end
end
ffi.cdef "int snprintf(char *, size_t, const char *, ...);"
local text = ffi.new "char[60000]"
for i = 1, 5000 do list[i] = i + 0.5 end
assert(ffi.C.snprintf(text, 60000, ("%g "):rep(5000), unpack(list)) == #ffi.string(text))

-- A value for which the stack has no room.
ffi.cdef "typedef struct { char c[500000000]; } huge; int abs(huge); huge labs(int);"
local huge = ffi.cast("huge *", x)
local ok, message = pcall(function() return ffi.C.abs(huge[0]) end)
assert(not ok and tostring(message):find("500000000 bytes of stack", 1, true), message)

-- The first call of a type, seconds: no code is compiled for it.
ffi.cdef "int getpid(void);"
local best = math.huge
for i = 1, 5 do
  ffi.cdef(("typedef struct { char c[%d]; } n%d;"):format(1000000 + i, i))
  local value, start = ffi.new("n" .. i), os.clock()
  ffi.cast(("int (*)(n%d)"):format(i), ffi.C.getpid)(value)
  best = math.min(best, os.clock() - start)
end
assert(best < 0.05, best)
print "ok"
