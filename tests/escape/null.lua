-- NULL, wide texts, pointers in structs by value (docs/security.md, CALL-4), and what callbacks return to C (CALL-5, CODE-2, CODE-3).
local C = ffi.C
local function forged(ty, n) return ffi.cast(ty .. "*", ffi.new("uint64_t[1]", { n }))[0] end
local nulls = {
  ["nil"] = function() return nil end, ["ffi.NULL"] = function() return ffi.NULL end,
  ["a NULL pointer"] = function(ty) return ffi.new(ty) end, ["a cast of 0"] = function(ty) return ffi.cast(ty, 0) end,
  ["a NULL out of memory"] = function(ty) return ffi.new(ffi.typeof("$ [1]", ffi.typeof(ty)))[0] end,
}
local null = "NULL for"

section "NULL"
for name, make in pairs(nulls) do
  for what, call in pairs {
    ["nonnull, a function"] = function(null) C.apply_nonnull(null "int (*)(int)", 1) end,
    ["a function without a word"] = function(null) C.apply(null "int (*)(int)", 1) end,
    ["a trusted pointer"] = function(null) C.trusted_int(null "int *") end,
    ["a handle"] = function(null) C.handle_get(null "struct handle *") end,
    ["a text"] = function(null) C.text_length(null "const char *") end,
    ["a wide text"] = function(null) C.length_wide(null "const wchar_t *") end,
    ["elements"] = function(null) C.sum(null "int *", 2) end,
    ["memory to write to"] = function(null) C.fill_in(null "unsigned char *", 8, 1) end,
    ["[static 4]"] = function(null) C.first4(null "int *") end,
    ["one element"] = function(null) C.must(null "int *") end,
    ["a pointer in a struct"] = function(null) C.take_bundle { 1, null "const int *", C.handle_open(), C.twice } end,
    ["a handle in a struct"] = function(null) C.take_bundle { 1, ffi.new("int[1]"), null "struct handle *", C.twice } end,
    ["a function in a struct"] = function(null) C.take_bundle { 1, ffi.new("int[1]"), C.handle_open(), null "int (*)(int)" } end,
    ["a function to keep"] = function(null) C.keep(null "int (*)(int)") end,
    ["a callback that C needs"] = function(null) C.with_buffer(null "int (*)(const int *, int)") end,
  } do
    attempt(name .. " for " .. what, function() call(make) end, null)
  end
end

section "wide texts"
for name, case in pairs {
  ["char16_t"] = { C.length16, 2 }, ["char32_t"] = { C.length32, 4 }, ["wchar_t"] = { C.length_wide, ffi.sizeof "wchar_t" },
} do
  local f, size = case[1], case[2]
  local function units(bytes) return ffi.cast("const " .. name .. " *", bytes) end
  attempt(name .. " without an end", function() f(ffi.new(name .. "[4]", { 65, 66, 67, 68 })) end, "no NUL")
  attempt(name .. " with a zero byte in each unit", function() f(ffi.new(name .. "[2]", { 65, 65 })) end, "no NUL")
  attempt(name .. " with zeros across units", function()
    local a = ffi.new("uint8_t[?]", 2 * size)
    for i = 0, 2 * size - 1 do a[i] = (i == 0 or i == 2 * size - 1) and 1 or 0 end
    f(units(a))
  end, "no NUL")
  attempt(name .. " with half a unit of zeros at the end", function()
    local a = ffi.new("uint8_t[?]", 3 * size + size / 2)
    for i = 0, 3 * size - 1 do a[i] = 1 end
    f(units(a))
  end, "no NUL")
  attempt(name .. " at the end of its memory", function()
    local a = ffi.new(name .. "[2]")
    f(units(ffi.cast("char *", a) + 2 * size))
  end, "no NUL")
  attempt(name .. " of a char array", function() f(units(ffi.new("char[5]", "abcde"))) end, "no NUL")
  attempt(name .. " of a string", function() f(units(("x"):rep(7))) end, "no NUL")
  attempt(name .. " of C", function() f(units(C.name())) end, "foreign")
  attempt(name .. " forged", function() f(forged("const " .. name .. " *", 4096)) end, "foreign")
end

section "pointers in structs by value"
local int1 = ffi.new("int[1]", { 5 })
local function bundle(t)
  return { t.n or 1, t.p or int1, t.h or C.handle_open(), t.f or C.twice }
end
for name, t in pairs {
  ["a forged pointer"] = { p = forged("const int *", 4096) }, ["a pointer of C"] = { p = ffi.cast("const int *", C.name()) },
  ["a handle as data"] = { p = ffi.cast("const int *", C.handle_open()) }, ["too little memory"] = { p = ffi.cast("const int *", ffi.new("char[2]")) },
  ["the end of memory"] = { p = ffi.cast("int *", int1) + 1 }, ["a forged handle"] = { h = forged("struct handle *", 4096) },
  ["its own memory as a handle"] = { h = ffi.cast("struct handle *", int1) },
  ["another handle"] = { h = ffi.cast("struct handle *", C.other_open()) }, ["a string as a handle"] = { h = ffi.cast("struct handle *", "text") },
  ["a function as data"] = { p = ffi.cast("const int *", C.twice) },
} do
  attempt(name .. ", a table", function() C.take_bundle(bundle(t)) end, "")
  attempt(name .. ", a struct", function() C.take_bundle(ffi.new("struct bundle", bundle(t))) end, "")
  attempt(name .. ", an element", function() C.take_bundle(ffi.new("struct bundle[2]", { {}, bundle(t) })[1]) end, "")
  attempt(name .. ", where NULL is permitted", function() C.take_bundle_or_null(bundle(t)) end, "")
end
for name, make in pairs {
  ["a forged function"] = function(b) ffi.cast("uint64_t *", b)[3] = 4096 end,
  ["a function of another type"] = function(b) ffi.cast("void **", b)[3] = ffi.cast("void *", C.sum) end,
  ["data as a function"] = function(b) ffi.cast("void **", b)[3] = int1 end,
  ["a function beside"] = function(b) ffi.cast("uint64_t *", b)[3] = ffi.cast("uint64_t *", b)[3] + 4 end,
  ["bytes as a pointer"] = function(b) ffi.fill(ffi.cast("char *", b) + 8, 8, 65) end,
  ["bytes as a handle"] = function(b) ffi.copy(ffi.cast("char *", b) + 16, "12345678", 8) end,
  ["nothing"] = function(b) ffi.fill(b, ffi.sizeof(b)) end,
} do
  attempt(name .. " by bytes", function()
    local b = ffi.new("struct bundle", bundle {})
    make(b)
    C.take_bundle(b)
  end, "")
end
attempt("a pointer to what is gone", function()
  local b = ffi.new("struct bundle", bundle { p = ffi.new("int[1]") })
  for _ = 1, 5 do collectgarbage() end
  C.take_bundle(b)
end, "")

section "what callbacks return"
local results = {
  ["a forged pointer"] = function(ty) return forged(ty, 4096) end, ["C's memory"] = function(ty) return ffi.cast(ty, C.name()) end,
  ["a function"] = function(ty) return ffi.cast(ty, C.twice) end, ["the end of memory"] = function(ty) return ffi.cast(ty, ffi.cast("char *", ffi.new("char[4]", "abcd")) + 4) end,
  ["another handle"] = function(ty) return ffi.cast(ty, C.other_open()) end,
}
for name, make in pairs(results) do
  attempt(name .. " for a handle", function() C.find_and_use(function() return make "struct handle *" end) end, "did not give out")
  attempt(name .. " for a number", function() C.pick_and_read(function() return make "long *" end) end, "")
  -- A text that C gave out as one may go back.
  local text = name ~= "C's memory"
  attempt_where(text, name .. " for a text", function() C.word_length(function() return make "const char *" end) end, "")
  attempt_where(text, name .. " for the second text", function()
    local n = 0
    C.word_pair(function() n = n + 1 return n == 1 and "fine" or make "const char *" end)
  end, "")
  attempt_where(text, name .. " from a coroutine", function()
    C.word_length(function() return coroutine.wrap(function() return make "const char *" end)() end)
  end, "")
end
attempt("its own memory for a handle", function() C.find_and_use(function() return ffi.cast("struct handle *", int1) end) end, "did not give out")
attempt("a string for a handle", function() C.find_and_use(function() return ffi.cast("struct handle *", "text") end) end, "did not give out")
attempt("too little memory for a number", function() C.pick_and_read(function() return ffi.cast("long *", int1) end) end, "8 bytes")
attempt("a string for a number to write to", function() C.pick_and_read(function() return ffi.cast("long *", "12345678") end) end, "read%-only")
attempt("a text without an end", function() C.word_length(function() return ffi.new("char[4]", "abcd") end) end, "no NUL")
attempt("a number for a text", function() C.word_length(function() return 5 end) end, "bad result")
attempt("a table for a text", function() C.word_length(function() return {} end) end, "bad result")
attempt("what is gone", function()
  local slot = ffi.new("const char *[1]", { ffi.new("char[4]", "abc") })
  for _ = 1, 5 do collectgarbage() end
  C.word_length(function() return slot[0] end)
end, "")
attempt("a default value that is no handle", function()
  ffi.cast("find *", function() end):foreign("default", ffi.cast("struct handle *", int1))
end, "did not give out")
attempt("a default value of its own memory", function()
  ffi.cast("word *", function() end):foreign("default", ffi.new("char[4]", "abc"))
end, "did not give out")
attempt("a trusted callback where C trusts nothing", function()
  C.bare_and_read(ffi.cast("bare *", ffi.cast("pick *", function() return ffi.new("long[1]") end)))
end, "nullable%(0%)")
attempt("a trusted callback as a bare one, stored", function()
  local slot = ffi.new("bare *[1]", { ffi.cast("pick *", function() return ffi.new("long[1]") end) })
  C.bare_and_read(slot[0])
end, "nullable%(0%)")

section "slots"
attempt("a freed callback of one type is no other", function()
  local f = ffi.cast("int (*)(int)", function(x) return x end)
  local address = ffi.cast("uintptr_t", f)
  f:free()
  for _ = 1, 200 do
    local g = ffi.cast("int (*)(const int *, int)", function() return 0 end)
    if ffi.cast("uintptr_t", g) == address then return end
    g:free()
  end
  error "no callback of another type has its address"
end, "no callback of another type")
attempt("a kept callback that is freed, after others were made", function()
  local f = ffi.cast("int (*)(int)", function(x) return x end)
  C.keep(f)
  f:free()
  for _ = 1, 20 do ffi.cast("find *", function() end):free() end
  C.call_kept(1)
end, "freed")

-- What is permitted works.
assert(C.apply_nullable(nil, 1) == -1 and C.trusted_or_null(nil) == -1 and C.text_or_null(nil) == -1)
assert(C.apply_nullable(function(x) return x + 1 end, 1) == 2 and C.trusted_or_null(int1) == 5 and C.text_or_null("ab") == 2)
assert(ffi.tonumber(C.length16("aé")) == 2 and ffi.tonumber(C.length32("aé")) == 2 and ffi.tonumber(C.length_wide("aéx")) == 3)
assert(C.take_bundle(bundle {}) == 5 + 42 + 2 and C.take_bundle_or_null({ 1 }) == 0)
assert(C.take_bundle(bundle { f = function(x) return x + 100 end }) == 5 + 42 + 101)
assert(ffi.tonumber(C.sum(nil, 0)) == 0 and C.fill_in(nil, 0, 1) == nil)
assert(ffi.tonumber(C.word_length(function() return C.name() end)) == 6)
