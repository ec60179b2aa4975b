-- Functions that pcall calls and metamethods may yield, those of rewritten operators, too.
print(coroutine.wrap(function() return pcall(function() return coroutine.yield(1) end) end)())
print(coroutine.wrap(function() return setmetatable({}, { __index = function(_, k) return coroutine.yield(k) end }).key end)())
local failing = coroutine.wrap(function() return pcall(function() coroutine.yield(1) error() end) end) print(failing(), failing())
failing = coroutine.wrap(function() return xpcall(function(...) coroutine.yield(...) error() end, function(m) return type(m) end, 7) end) print(failing(), failing())
local function in_coroutine(f)
  local thread, results = coroutine.wrap(f), {}
  repeat
    local value = thread()
    results[#results + 1] = tostring(value)
  until value == "end"
  print(table.concat(results, " "))
end
local slow = setmetatable({}, {
  __concat = function(a, b) coroutine.yield("cat"); return "<" .. (type(a) == "string" and a or b) .. ">" end,
  __eq = function() return coroutine.yield("eq") == nil end,
  __mod = function() coroutine.yield("mod"); return 1 end,
})
local other = setmetatable({}, getmetatable(slow))
in_coroutine(function()
  coroutine.yield("a" .. slow .. "b")
  coroutine.yield(slow .. "c" .. "d")
  coroutine.yield(slow == other)
  coroutine.yield(slow ~= other)
  coroutine.yield(slow % 2)
  return "end"
end)
