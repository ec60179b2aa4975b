-- Errors of other modules' C functions in callbacks: C gets its result, the call raises the error, and everything works after it. Each is also tried in
-- a coroutine, as the coroutine itself, and under a message handler that calls C.
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
ffi.cdef "void qsort(void *, size_t, size_t, int (*)(const int *, const int *)); int toupper(int);"
local C = ffi.C
local load = loadstring or load
local function sort(compare) C.qsort(ffi.new("int[4]", { 3, 1, 4, 2 }), 4, 4, compare) end
local function check()
  local numbers = ffi.new("int[4]", { 3, 1, 4, 2 })
  C.qsort(numbers, 4, 4, function(a, b) return a[0] - b[0] end)
  assert(numbers[0] == 1 and numbers[3] == 4 and C.toupper(97) == 65)
end

-- What fails, and words of its message.
local ways = {
  { "in gsub", function() ("x"):gsub("x", function() error "in gsub" end) end },
  { "in sort", function() table.sort({ 3, 1, 2 }, function() error "in sort" end) end },
  { "bad argument #1 to 'rep'", function() string.rep() end },
  { "to 'format'", function() string.format("%d", {}) end },
  { "to 'setmetatable'", function() setmetatable(1, {}) end },
  { "near 'x'", function() assert(load "x x") end },
  { "no.such.module", function() require "no.such.module" end },
  { "in a coroutine", function() coroutine.wrap(function() error "in a coroutine" end)() end },
  { "in C in a coroutine", function()
    coroutine.wrap(function() sort(function() error "in C in a coroutine" end) end)()
  end },
  { "yield", function() coroutine.yield() end },
  { "yield", function() table.sort({ 3, 1, 2 }, function() coroutine.yield() end) end },
  { "in C in sort", function()
    table.sort({ 3, 1, 2 }, function() sort(function() error "in C in sort" end) end)
  end },
  { "after a collection", function()
    for _ = 1, 10 do ffi.gc(ffi.new "int[1]", function() sort(function() return 0 end) end) end
    collectgarbage()
    error "after a collection"
  end },
}
local found, lpeg = pcall(require, "lpeg")
if found then
  local function at_match(f) return function() lpeg.Cmt(1, f):match "abc" end end
  local function captured() ((lpeg.C(1) / function() error "in a capture" end) ^ 0):match "abc" end
  ways[#ways + 1] = { "at match time", at_match(function() error "at match time" end) }
  ways[#ways + 1] = { "in a capture", captured }
  ways[#ways + 1] = { "yield", at_match(function() coroutine.yield() end) }
  ways[#ways + 1] = { "in C at match time", at_match(function()
    sort(function() error "in C at match time" end)
    return true
  end) }
  ways[#ways + 1] = { "at match time in C at match time", at_match(function()
    sort(at_match(function() error "at match time in C at match time" end))
    return true
  end) }
end

for _ = 1, 20 do
  for _, way in ipairs(ways) do
    local words, fails = way[1], way[2]
    local function call() sort(function() fails() return 0 end) end
    local function failed(ok, message)
      assert(not ok and tostring(message):find(words, 1, true), words .. ": " .. tostring(message))
      check()
    end
    failed(pcall(call))
    failed(coroutine.wrap(function() return pcall(call) end)())
    failed(coroutine.resume(coroutine.create(call)))
    failed(xpcall(call, function(message) check() return message end))
    local object = {}
    local ok, raised = pcall(sort, function() error(object) end)
    assert(not ok and raised == object)
  end
  collectgarbage()
end
print "ok"
