-- `lua5.4 floor.lua ROW N MODULE`: N operations of the project's comparison, by the library ("ffi") or by its C binding written by
-- hand ("benchcapi"). benches/floor.sh counts their instructions.
local row, n, module = arg[1], tonumber(arg[2]), arg[3]
local M = require(module)
local by_hand = module == "benchcapi"
local ffi, L = M, M
if not by_hand then
  ffi.cdef [[
    void b_void(void);
    int b_add(int, int);
    bool b_isodd(int);
    int b_callcb(int (*)(int), int);
    const char *b_cstr(void);
    void qsort(void *, size_t, size_t, int (*)(const double *, const double *));
  ]]
  L = ffi.load(os.getenv "BENCH_LIB")
end

local rows = {}

function rows.loop() return function(n) for _ = 1, n do end end end

function rows.void()
  local f = L.b_void
  return function(n) for _ = 1, n do f() end end
end

-- The same in a state that has a callback.
function rows.reentry()
  if not by_hand then ffi.cast("int (*)(int)", function(x) return x end) end
  return rows.void()
end

function rows.add()
  local f = L.b_add
  return function(n) local r for i = 1, n do r = f(i, 1) end return r end
end

function rows.bool()
  local f = L.b_isodd
  return function(n) local r for i = 1, n do r = f(i) end return r end
end

function rows.string()
  if by_hand then
    local f = L.cstr
    return function(n) local r for _ = 1, n do r = f() end return r end
  end
  local f, text = ffi.string, L.b_cstr()
  return function(n) local r for _ = 1, n do r = f(text) end return r end
end

function rows.callback()
  local function next_one(x) return x + 1 end
  local f, callback = L.b_callcb, by_hand and next_one or ffi.cast("int (*)(int)", next_one)
  return function(n) for _ = 1, n / 100 do f(callback, 100) end return callback end
end

-- Calls of the comparison in a qsort of 1,000 doubles.
function rows.qsort()
  local a, b = by_hand and L.newarr() or ffi.new("double[1000]"), by_hand and L.newarr() or ffi.new("double[1000]")
  local x, count = 42, 0
  for i = 0, 999 do x = (x * 1103515245 + 12345) % 2147483648 b[i] = x end
  if by_hand then
    local function compare(p, q) count = count + 1 if p < q then return -1 elseif p > q then return 1 else return 0 end end
    return function(n) count = 0 while count < n do L.copyarr(a, b) L.qsort(a, compare) end return count end
  end
  local function compare(p, q)
    count = count + 1
    local x, y = p[0], q[0]
    if x < y then return -1 elseif x > y then return 1 else return 0 end
  end
  local callback = ffi.cast("int (*)(const double *, const double *)", compare)
  return function(n) count = 0 while count < n do ffi.copy(a, b, 8000) L.qsort(a, 1000, 8, callback) end return count end
end

function rows.create()
  local ct, cast = ffi.typeof("int (*)(int)"), ffi.cast
  local function same(x) return x end
  return function(n) for _ = 1, n do cast(ct, same):free() end end
end

if by_hand then rows.create = nil end
if not row then
  for name in pairs(rows) do print(name) end
  return
end
local f = rows[row]()
f(10000)
local done = n > 0 and f(n)
-- How many there were, where that is not as many as were asked for.
io.stderr:write(row == "qsort" and done or n, " operations\n")
