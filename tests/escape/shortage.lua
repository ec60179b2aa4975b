-- One round of operations, called again and again with another memory limit: each is right, or a Lua error.
local C = ffi.C
local texts = {}
for _, size in ipairs { 16, 100, 3000, 20000 } do texts[size] = ("s"):rep(size - 1) end
local big, kept = {}, nil
local function last(ty, make)
  local object = make()
  local p = ffi.cast(ty .. " *", ffi.new("char[8]"))
  ffi.cast("uint64_t *", ffi.addressof(p))[0] = ffi.cast("uintptr_t", ffi.cast(ty .. " *", object))
  kept = object
  return p, function(value) kept = nil return value end
end

local operations = {
  function() for size, text in pairs(texts) do
    local p, drop = last("char", function() return ffi.new("char[?]", size, text) end)
    assert(ffi.string(p, drop()) == text)
  end end,
  function() for size, text in pairs(texts) do
    local p, drop = last("char", function() return ffi.new("char[?]", size, text) end)
    assert(ffi.string(p, drop(size - 1)) == text)
  end end,
  function()
    local p, drop = last("struct pair", function() return ffi.new("struct pair[50]") end)
    local t = {}
    for i = 1, 50 do t[i] = { i, ffi.new("int64_t", i) } end
    ffi.cast("struct pair (*)[50]", p)[drop(0)] = t
  end,
  function()
    local p, drop = last("__int128", function() return ffi.new("__int128[2]", { 5, 7 }) end)
    assert(ffi.tonumber(p[drop(1)]) == 7)
  end,
  function()
    local p, drop = last("int", function() return ffi.new("int[4]", { 1, 2, 3, 4 }) end)
    assert(ffi.tonumber(C.sum_after(p, drop(4), function(n) for i = 1, 50 do big[i] = ("z"):rep(i) end return n end)) == 10)
  end,
  function() assert(ffi.tonumber(C.word_pair(function() return ffi.new("char[40]", ("q"):rep(39)) end)) == 78) end,
  function() assert(ffi.tonumber(C.length32(("w"):rep(500))) == 500) end,
  function() local s = C.text_make(5) local ok = pcall(ffi.string, s) C.text_free(s) assert(not pcall(ffi.string, s)) end,
}
return function()
  local failed = 0
  for _, operation in ipairs(operations) do
    local ok, message = pcall(operation)
    if not ok then
      failed = failed + 1
      message = tostring(message)
      last_message = message
      -- Lua 5.2's words where there is no memory for its stack.
      if message:find "too many nested values" then message = "not enough memory" end
      if not message:find "memory" and not message:find "attempt to" then error(message, 0) end
    end
  end
  return failed
end
