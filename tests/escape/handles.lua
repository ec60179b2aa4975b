-- Handles with a life: `acquires`, `releases` (docs/security.md, CALL-7).
local C = ffi.C
local unreleasable, gone = "to be released", "or that was released"
local function forged(ty, n) return ffi.cast(ty .. " *", ffi.new("uint64_t[1]", { n }))[0] end

section "released handles"
local release = {
  ["closed"] = function(t) C.ticket_close(t) end, ["closed with another"] = function(t) C.ticket_close_both(t, C.ticket_open()) end,
  ["closed as the other"] = function(t) C.ticket_close_both(C.ticket_open(), t) end, ["closed, or NULL"] = function(t) C.ticket_close_or_null(t) end,
  ["closed by C that calls back"] = function(t) C.ticket_close_after(t, function() return 0 end) end,
  ["closed through a pointer"] = function(t) ffi.cast("int (*)(struct ticket *)", C.ticket_close)(t) end,
  ["closed in a callback"] = function(t) C.apply(function() C.ticket_close(t) return 0 end, 1) end,
  ["closed in a coroutine"] = function(t) coroutine.wrap(function() C.ticket_close(t) end)() end,
  ["closed although its callback fails"] = function(t) pcall(C.ticket_close_after, t, function() error "inside" end) end,
}
local again = {
  ["used"] = function(t) C.ticket_get(t) end, ["shared"] = function(t) C.ticket_share(t) end, ["a callback's result"] = function(t)
    C.find_and_use(function() return ffi.cast("struct handle *", t) end)
  end,
  ["put into the host's memory"] = function(t) C.ticket_held = t end, ["used out of memory"] = function(t)
    C.ticket_get(ffi.new("struct ticket *[1]", { t })[0])
  end,
}
for name, close in pairs(release) do
  for what, use in pairs(again) do
    attempt(name .. ", then " .. what, function() local t = C.ticket_open() close(t) use(t) end, "did not give out")
  end
  for what, close_again in pairs(release) do
    if what ~= "closed although its callback fails" then
      attempt(name .. ", then " .. what, function() local t = C.ticket_open() close(t) close_again(t) end, gone)
    end
  end
end
attempt("used while it is closed", function()
  local t = C.ticket_open()
  C.ticket_close_after(t, function() return C.ticket_get(t) end)
end, gone)
attempt("closed while it is closed", function()
  local t = C.ticket_open()
  C.ticket_close_after(t, function() return C.ticket_close(t) end)
end, gone)
attempt("closed twice at once", function() local t = C.ticket_open() C.ticket_close_both(t, t) end, "given twice")
attempt("shared, closed three times at once and after", function()
  local t = C.ticket_open()
  C.ticket_share(t)
  C.ticket_close_both(t, t)
  C.ticket_close(t)
end, gone)
attempt("NULL", function() C.ticket_close(nil) end, "NULL for")
attempt("one of two is NULL", function() C.ticket_close_both(C.ticket_open(), nil) end, "NULL for")
attempt("a lent one", function() C.ticket_close(C.ticket_lent()) end, unreleasable)
attempt("a lent one with another", function() C.ticket_close_both(C.ticket_open(), C.ticket_lent()) end, unreleasable)
attempt("a forged one", function() C.ticket_close(forged("struct ticket *", 4096)) end, "did not give out")
attempt("its own memory", function() C.ticket_close(ffi.cast("struct ticket *", ffi.new "int[4]")) end, "did not give out")
attempt("another type's", function() C.ticket_close(ffi.cast("struct ticket *", C.handle_open())) end, "did not give out")
attempt("that of the host's memory", function() C.ticket_close(C.ticket_held) end, "")
attempt("one that the host's memory holds", function()
  local t = C.ticket_open()
  C.ticket_held = t
  C.ticket_close(t)
end, "that memory of the host holds")
attempt("a failed call", function()
  local t = C.ticket_open()
  assert(not pcall(C.ticket_close_both, t, nil) and not pcall(C.ticket_close_after, t, 5))
  assert(C.ticket_get(t) == 1 and C.ticket_close(t) == 0)
  C.ticket_get(t)
end, gone)

section "handles in use"
local inside = "a call in progress uses"
for name, close in pairs(release) do
  local function closing(t) return function() close(t) return 0 end end
  local attempt = function(...) attempt_where(name ~= "closed although its callback fails", ...) end
  attempt(name .. " while C has it", function()
    local t = C.ticket_open()
    C.ticket_use_after(t, closing(t))
  end, inside)
  attempt(name .. " while C has it twice", function()
    local t = C.ticket_open()
    C.ticket_share(t)
    C.ticket_use_after(t, function() C.ticket_use_after(t, closing(t)) return 0 end)
  end, inside)
  attempt(name .. " while C further out has it", function()
    local t, other = C.ticket_open(), C.ticket_open()
    C.ticket_use_after(t, function() C.ticket_use_after(other, closing(t)) return 0 end)
  end, inside)
  attempt(name .. " after a callback returned it", function()
    local t, n = C.ticket_open(), 0
    C.ticket_of(function()
      n = n + 1
      if n == 2 then close(t) end
      return t
    end)
  end, inside)
end
for name, use in pairs {
  ["a text"] = function(s, f) C.length_after(s, f) end, ["memory"] = function(s, f) C.write_after(ffi.cast("unsigned char *", s), 5, f) end,
  ["the end of a text"] = function(s, f) C.length_after(s + 3, f) end,
  ["memory out of a slot"] = function(s, f) C.write_after(ffi.new("unsigned char *[1]", { ffi.cast("unsigned char *", s) })[0], 5, f) end,
} do
  attempt(name .. ", freed while C has it", function()
    local s = C.text_make(6)
    use(s, function() C.text_free(s) return 0 end)
  end, inside)
  attempt(name .. ", freed while C further out has it", function()
    local s = C.text_make(6)
    use(s, function() C.apply(function() C.text_free(s) return 0 end, 1) return 0 end)
  end, inside)
end
attempt("a text that was given twice", function()
  local s = C.text_make(5)
  local same = C.text_share(s)
  C.text_free(s)
  C.text_free(same)
  return s[0]
end, "dead")
attempt("a text that was given twice, the second pointer", function()
  local s = C.text_make(5)
  local same = C.text_share(s)
  C.text_free(same)
  C.text_free(s)
  return same[0]
end, "dead")
attempt("a text that is there again", function()
  local s = C.text_make(5)
  C.text_free(s)
  local again = C.text_make(5)
  assert(again[0] == 120)
  return s[0]
end, "dead")

section "released texts"
for name, use in pairs {
  ["read"] = function(s) return s[0] end, ["written"] = function(s) s[0] = 65 end, ["a string"] = function(s) return ffi.string(s) end,
  ["a string of a length"] = function(s) return ffi.string(s, 2) end, ["copied from"] = function(s) ffi.copy(ffi.new("char[8]"), s, 2) end,
  ["copied to"] = function(s) ffi.copy(s, "x", 1) end, ["filled"] = function(s) ffi.fill(s, 2) end, ["added to"] = function(s) return s + 1 end,
  ["a text for C"] = function(s) C.text_length(s) end, ["cast and read"] = function(s) return ffi.cast("unsigned char *", s)[0] end,
  ["a reference"] = function(s) return ffi.cast("char (&)[1]", s)[0] end, ["out of memory"] = function(s) return ffi.new("char *[1]", { s })[0][0] end,
  ["freed"] = function(s) C.text_free(s) end, ["memory for C"] = function(s) C.fill_in(ffi.cast("unsigned char *", s), 1, 65) end,
} do
  attempt(name, function() local s = C.text_make(5) C.text_free(s) use(s) end, "")
  attempt(name .. ", from the middle", function()
    local s = C.text_make(5)
    local middle = s + 2
    C.text_free(s)
    use(middle)
  end, "")
  -- A pointer out of memory is one to what is there now.
  attempt_where(name ~= "out of memory", name .. ", while another is there", function()
    local s, other = C.text_make(5), C.text_make(6)
    C.text_free(s)
    local third = C.text_make(3)
    local ok, message = pcall(use, s)
    C.text_free(other)
    C.text_free(third)
    assert(ok, message)
  end, "")
end
attempt("the middle of a text, freed", function() local s = C.text_make(5) C.text_free(s + 1) end, "did not give out")
attempt("a string of Lua, freed", function() C.text_free(ffi.cast("char *", "text")) end, "did not give out")
attempt("its own memory, freed", function() C.text_free(ffi.new("char[4]")) end, "did not give out")
attempt("behind a text", function() return C.text_make(5)[6] end, "6 bytes")

-- What is permitted works.
local t = C.ticket_open()
assert(C.ticket_get(t) == 1 and C.ticket_get(C.ticket_share(t)) == 2 and C.ticket_close(t) == 1 and C.ticket_get(t) == 1)
assert(C.ticket_close(t) == 0 and C.ticket_close_or_null(nil) == -1 and C.ticket_get(C.ticket_lent()) == 0)
local s = C.text_make(4)
s[1] = 65
assert(ffi.string(s) == "xAxx")
C.text_free(s)
assert(ffi.string(C.text_make(3)) == "xxx")

section "handles without end"
attempt("more than there may be", function() for _ = 1, 200000 do C.many() end end, "limit `handles`")
