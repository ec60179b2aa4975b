-- Contracts are the host's word, and belong to the address (`tests/c/escape.h`): docs/security.md, CALL-1 to CALL-3 and CODE-1.
local C = ffi.C
local contract = "permission `uncontracted_pointers`"
local word = "a contract is the host's word"
local int4 = function() return ffi.new("int[4]", { 1, 2, 3, 4 }) end
local function forged(ty, n)
  return ffi.cast(ty .. " *", ffi.new("uint64_t[1]", { n }))[0]
end

section "contracts in texts"
local attributes = {
  "trusted(0)", "trusted(1)", "__trusted__(1)", "access(read_only, 1)", "access(write_only, 1, 2)", "access(none, 1)", "nonnull",
  "nonnull(1)", "null_terminated_string_arg(1)", "nullable(0)", "nullable(1)",
}
for _, attribute in ipairs(attributes) do
  attempt("cast to " .. attribute, function()
    ffi.cast("long *(*)(int *, int) __attribute__((" .. attribute .. "))", function() return forged("long *", 4096) end)()
  end, word)
  attempt("typeof " .. attribute, function() ffi.typeof("__attribute__((" .. attribute .. ")) long *(*)(int *, int)") end, word)
end
for name, text in pairs {
  ["C23 brackets"] = "long *(*f [[trusted(0)]])(void)", ["a namespace"] = "long *(*)(void) [[gnu::trusted(0)]]",
  ["a declspec"] = "__declspec(trusted(0)) long *(*)(void)", ["a parameter"] = "int (*)(int (*f)(int *) __attribute__((trusted(1))))",
  ["a result"] = "int (*(*)(void))(int *) __attribute__((trusted(1)))", ["a parameter alone"] = "int (*)(int *p __attribute__((nonnull)))",
  ["an array of functions"] = "long *(*[2])(void) __attribute__((trusted(0)))", ["a second attribute"] = "long *(*)(void) __attribute__((cold, trusted(0)))",
  ["a second list"] = "long *(*)(void) __attribute__((cold)) __attribute__((trusted(0)))", ["a comment"] = "long *(*)(void) __attribute__((/**/trusted/**/(0)))",
} do
  attempt(name, function() ffi.typeof(text) end, name == "C23 brackets" and "" or word)
end
attempt("sizeof", function() ffi.sizeof("long *(*)(void) __attribute__((trusted(0)))") end, word)
attempt("istype", function() ffi.istype("long *(*)(void) __attribute__((trusted(0)))", 1) end, word)
attempt("another scope", function() ffi.scope().typeof("long *(*)(void) __attribute__((trusted(0)))") end, word)
attempt("eval", function() ffi.eval("sizeof(long *(*)(void) __attribute__((trusted(0))))") end, word)
attempt("a parameter of a text", function() ffi.typeof("$ (*)(void) __attribute__((trusted(0)))", ffi.typeof "long *") end, word)
attempt("the macro of an attribute", function() ffi.typeof("long *(*)(void) __attribute__((trusted(0\n)))") end, word)

section "functions by address"
-- A cast does not change what the host declared for the function at an address.
local plain = {
  sum = "long (*)(const int *, int)", first4 = "int (*)(const int *)", text_length = "unsigned long (*)(const char *)",
  fill_in = "void (*)(unsigned char *, unsigned long, int)", must = "int (*)(const int *)", handle_get = "int (*)(struct handle *)",
  copy_apart = "void (*)(unsigned char *, const unsigned char *, unsigned long)", uncontracted = "int (*)(int *)",
  trusted_int = "int (*)(int *)", length16 = "unsigned long (*)(const char16_t *)", uses = "int (*)(struct other *)",
}
local bad = {
  sum = function(f) f(int4(), 5) end, first4 = function(f) f(ffi.new("int[3]")) end, text_length = function(f) f(ffi.new("char[2]", "ab")) end,
  fill_in = function(f) f(ffi.new("unsigned char[8]"), 9, 0) end, must = function(f) f(nil) end,
  handle_get = function(f) f(ffi.cast("struct handle *", int4())) end,
  copy_apart = function(f) local a = ffi.new("unsigned char[8]") f(a, a, 4) end, uncontracted = function(f) f(int4()) end,
  trusted_int = function(f) f(nil) end, length16 = function(f) f(ffi.new("char16_t[2]", { 65, 66 })) end,
  uses = function(f) f(ffi.cast("struct other *", C.handle_open())) end,
}
for name, ty in pairs(plain) do
  attempt("a cast of " .. name, function() bad[name](ffi.cast(ty, C[name])) end, "")
  attempt("a cast of " .. name .. " to [static 1]", function()
    bad[name](ffi.cast((ty:gsub("%*%)$", "[static 1])"):gsub("%*,", "[static 1],")), C[name]))
  end, "")
  attempt("memory that holds " .. name, function()
    local slot = ffi.new(ty:gsub("%(%*%)", "(*[1])"), { C[name] })
    bad[name](slot[0])
  end, "")
end
attempt("the type of another function", function() ffi.cast(ffi.typeof(C.trusted_int), C.uncontracted)(int4()) end, "")
attempt("a pointer to the type of another function", function()
  ffi.cast(ffi.typeof("$ *", ffi.typeof(C.trusted_int)), C.uncontracted)(int4())
end, contract)
attempt("the type of a function that trusts, for one that counts", function()
  ffi.cast(ffi.typeof("$ *", ffi.typeof(C.must)), C.first4)(ffi.new("int[1]"))
end, "16 bytes")
attempt("the type of one that counts, for one of no contract", function()
  ffi.cast(ffi.typeof("$ *", ffi.typeof(C.must)), ffi.cast("int (*)(int *)", C.uncontracted))(ffi.new("int[1]"))
end, "")
attempt("restrict in a text", function()
  local a = ffi.new("unsigned char[8]")
  ffi.cast("void (*)(unsigned char *restrict, const unsigned char *restrict, unsigned long)", C.copy_apart)(a, a, 1)
end, "overlaps")
attempt("no restrict in a text", function()
  local a = ffi.cast("unsigned char *", ffi.new("unsigned char[8]"))
  ffi.cast("void (*)(unsigned char *, const unsigned char *, unsigned long)", C.copy_apart)(a + 1, a, 4)
end, "overlaps")
attempt("a cast, a cast back", function()
  local f = ffi.cast("long (*)(const int *, int)", ffi.cast("void *", C.sum))
  f(int4(), 5)
end, "20 bytes")
attempt("through ffi.metatype", function()
  ffi.metatype("struct pair", { __index = { f = ffi.cast("long (*)(const int *, int)", C.sum) } })
  ffi.new("struct pair").f(int4(), 5)
end, "20 bytes")

section "functions that C gives out"
local reads = {
  ["as declared"] = C.get_reader, ["without a contract"] = ffi.cast("long (*(*)(void))(const int *, int)", C.get_reader),
  ["with [static 1]"] = ffi.cast("long (*(*)(void))(const int [static 1], int)", C.get_reader),
  ["with restrict"] = ffi.cast("long (*(*)(void))(const int *restrict, int)", C.get_reader),
}
for name, get in pairs(reads) do
  attempt("a result " .. name, function() get()(int4(), 5) end, "20 bytes")
  attempt("a result " .. name .. ", cast", function() ffi.cast("long (*)(const int [static 2], int)", get())(int4(), 5) end, "20 bytes")
end
for name, ty in pairs {
  ["as declared"] = "shown *", ["without a contract"] = "int (*)(long (*)(const int *, int))",
  ["with [static 1]"] = "int (*)(long (*)(const int [static 1], int))",
} do
  attempt("an argument " .. name, function()
    C.show_reader(ffi.cast(ty, function(f) f(int4(), 5) return 0 end))
  end, "20 bytes")
  attempt("an argument " .. name .. ", kept", function()
    local kept
    C.show_reader(ffi.cast(ty, function(f) kept = f return 0 end))
    kept(int4(), 5)
  end, "20 bytes")
  attempt("a forged argument " .. name, function()
    local kept
    ffi.cast(ty, function(f) kept = f return 0 end)(ffi.cast("long (**)(const int *, int)", ffi.new("uint64_t[1]", { 4096 }))[0])
    kept(int4(), 4)
  end, "permission `function_pointer_casts`")
end
attempt("a trusted callback given as one that is not", function()
  local kept
  local f = ffi.cast("seen_trusted *", function(h) kept = h return 0 end)
  C.show_handle(f)
  ffi.cast("struct other *", kept)
  C.uses(ffi.cast("struct other *", kept))
end, "did not give out")

section "declared functions as callbacks"
local other = "a function with other contracts"
for _, name in ipairs { "eat", "eat_four", "eat_any", "eat_text" } do
  attempt(name .. " where C promises nothing", function() C.feed(C[name]) end, other)
  attempt(name .. " as a pointer", function() C.feed(ffi.cast("eats *", C[name])) end, other)
  attempt(name .. " as a pointer of a type of its own", function() C.feed(ffi.cast("int (*)(const int [static 4], int)", C[name])) end, other)
  attempt(name .. " out of memory", function() C.feed(ffi.new("eats *[1]", { C[name] })[0]) end, other)
  attempt(name .. " in a variable", function() C.eater = C[name] end, other)
  attempt(name .. " in a struct", function() C.feed_eaters { 1, C[name] } end, other)
  attempt_where(name ~= "eat", name .. " where C promises elements", function() C.feed_some(C[name]) end, other)
end
for _, name in ipairs { "ticket_close", "ticket_close_or_null", "ticket_get" } do
  attempt(name .. " for C's tickets", function() C.each_ticket(C[name]) end, other)
  attempt_where(name ~= "ticket_get", name .. " for C's trusted tickets", function() C.each_trusted(C[name]) end, other)
end
assert(C.feed_some(C.eat) == 5, "fed " .. tostring(C.feed_some(C.eat)))
assert(C.each_trusted(C.ticket_get) == 0, "got " .. tostring(C.each_trusted(C.ticket_get)))
assert(C.feed(function(p, n) return p == ffi.NULL and n or 0 end) == 1000)

section "callbacks of the script vouch for nothing"
local function pick(address) return function() return forged("long *", address) end end
attempt("a callback of a trusted type, called", function() return ffi.cast("pick *", pick(4096))()[0] end, "")
attempt("written through", function() ffi.cast("pick *", pick(4096))()[0] = 1 end, "")
attempt("as a string", function() return ffi.string(ffi.cast("char *", ffi.cast("pick *", pick(4096))()), 8) end, "")
attempt("a text of a callback", function() return ffi.string(ffi.cast("word *", function() return forged("const char *", 4096) end)()) end, "")
attempt("a callback of a type that the host does not have", function()
  return ffi.cast("short *(*)(void)", function() return forged("short *", 4096) end)()[0]
end, "not permitted: a callback")
attempt("a callback of a type that returns a bare pointer", function() ffi.cast("bare *", pick(4096)) end, "nullable%(0%)")
attempt("passed on", function() C.bare_and_read(pick(4096)) end, "nullable%(0%)")
attempt("a callback that returns a struct with pointers", function() ffi.cast("whole *", function() return {} end) end, "holds pointers")
attempt("such a callback passed on", function() C.apply_whole(function() return {} end) end, "holds pointers")
for name, ty in pairs {
  ["more parameters"] = "int (*)(int, int, int, int)", ["other results"] = "unsigned char (*)(int)", ["a pointer"] = "int (*)(void **)",
  ["no parameters"] = "double (*)(void)", ["a struct"] = "int (*)(struct pair)", ["a handle"] = "struct handle *(*)(int)",
  ["a pointer to a pointer"] = "struct handle **(*)(void)", ["another convention"] = "int (*)(int) __attribute__((ms_abi))",
} do
  attempt("a callback with " .. name, function() ffi.cast(ty, function() return 0 end) end, "not permitted: a callback")
  attempt("ffi.new of a callback with " .. name, function() ffi.new(ty, function() return 0 end) end, "not permitted: a callback")
end

section "forged handles"
local function find(value) return function() return value end end
local forgeries = {
  ["bytes"] = function() return forged("struct handle *", 4096) end,
  ["its own memory"] = function() return ffi.cast("struct handle *", int4()) end,
  ["a string"] = function() return ffi.cast("struct handle *", "text") end,
  ["another handle"] = function() return ffi.cast("struct handle *", C.other_open()) end,
  ["a function"] = function() return ffi.cast("struct handle *", C.twice) end,
  ["a variable"] = function() return ffi.cast("struct handle *", C.table_of_four) end,
  ["a handle beside"] = function()
    local slot = ffi.new("struct handle *[1]", { C.handle_open() })
    ffi.cast("uint64_t *", slot)[0] = ffi.cast("uint64_t *", slot)[0] + 4
    return slot[0]
  end,
}
for name, forge in pairs(forgeries) do
  attempt(name .. ", by a callback", function()
    local f = ffi.cast("find *", find(forge()))
    C.handle_get(f())
  end, "")
  attempt(name .. ", by a callback that C calls", function() C.find_and_use(find(forge())) end, "did not give out")
  attempt(name .. ", to a callback", function()
    local kept
    local f = ffi.cast("seen *", function(h) kept = h return 0 end)
    f(forge())
    C.handle_get(kept)
  end, "")
  attempt(name .. ", to a callback that trusts", function()
    local kept
    local f = ffi.cast("seen_trusted *", function(h) kept = h return 0 end)
    f(forge())
    C.handle_get(kept)
  end, "")
end
attempt("what C shows to a callback", function()
  local kept
  C.show_handle(function(h) kept = h return 0 end)
  -- It is what C gave out in any case, as `handle_open` did; the callback's type does not say so.
  C.uses(ffi.cast("struct other *", kept))
end, "did not give out")
attempt("memory that C returns, once it is gone", function()
  local a = int4()
  local p = ffi.cast("int *", C.last(a, 4))
  a = nil
  local n = ffi.cast("uintptr_t", p)
  p = nil
  for _ = 1, 5 do collectgarbage() end
  C.trusted_int(forged("int *", n))
end, "did not give out")

-- What is permitted works.
assert(ffi.tonumber(ffi.cast("long (*)(const int *, int)", C.sum)(int4(), 4)) == 10)
assert(ffi.cast("find *", function() return C.handle_open() end)() == C.handle_open())
assert(C.find_and_use(function() return C.handle_open() end) == 42 and C.find_and_use(function() end) == 0)
local shown
assert(C.show_trusted(function(h) shown = h return C.handle_get(h) end) == 42 and C.handle_get(shown) == 42)
assert(ffi.tonumber(C.pick_and_read(function() return ffi.new("long[1]", { 7 }) end)) == 7)
assert(ffi.tonumber(C.word_length(function() return "four" end)) == 4)
assert(ffi.tonumber(C.get_reader()(int4(), 4)) == 10 and C.show_reader(function(f) return ffi.tonumber(f(int4(), 4)) end) == 10)
