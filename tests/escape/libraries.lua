-- A checked state closes no library before itself (docs/security.md, CODE-4). `LIBRARY` is the path of one that nothing else has open.
ffi.cdef [[
  int32_t t_i32(int32_t x); const char *t_str(const char *x); void *t_ptr(void *x); double t_f64(double x); int t_get_errno(void);
  typedef int32_t number(int32_t);
]]
local function gone() for _ = 1, 6 do collectgarbage() end end

section "libraries"
local uses = {
  ["a function"] = function(l) local f = l.t_i32 return function() return f(5) == 5 end end,
  ["a pointer to a function"] = function(l) local f = ffi.cast("number *", l.t_i32) return function() return f(6) == 6 end end,
  ["a pointer in memory"] = function(l)
    local slot = ffi.new("number *[1]", { l.t_i32 })
    return function() return slot[0](7) == 7 end
  end,
  ["a pointer in a struct"] = function(l)
    local s = ffi.new("struct { number *f; }", { l.t_i32 })
    return function() return s.f(8) == 8 end
  end,
  ["a void pointer"] = function(l)
    local p = ffi.cast("void *", l.t_i32)
    return function() return ffi.cast("number *", p)(9) == 9 end
  end,
  ["a number"] = function(l)
    local n = ffi.cast("uintptr_t", l.t_i32)
    return function() return ffi.cast("number *", n)(10) == 10 end
  end,
  ["a coroutine"] = function(l)
    local co = coroutine.wrap(function() local f = l.t_i32 coroutine.yield() while true do coroutine.yield(f(11)) end end)
    co()
    l = nil
    return function() return co() == 11 end
  end,
  ["a finaliser"] = function(l)
    local ran
    local token = ffi.gc(ffi.new "int[1]", function() ran = true end)
    local f = ffi.cast("number *", l.t_i32)
    local guard = ffi.gc(ffi.new "int[1]", function() f(1) end)
    token, guard = nil, nil
    return function() return f(12) == 12 and ran end
  end,
}
for name, use in pairs(uses) do
  for times = 1, 3 do
    survives(name .. ", " .. times, function()
      local check = use(ffi.load(LIBRARY))
      for _ = 1, times do gone() end
      return check()
    end)
  end
end
