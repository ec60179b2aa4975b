-- Functions and facts for all behaviour files, as globals; only Lua 5.1's syntax and functions.
--
--   luajit tests/lua/support/suite.lua FILE      (or cthunk run, lua5.4, …)
--
-- runs one file and prints its assertions: a line for each, `line<TAB>case`, then `differences<TAB>` and their names. In a
-- host without files (Luau) load this text, then the file, then call `suite_report`.
local ffi = require "ffi"

-- This library, not LuaJIT's own; a host where this library does all as LuaJIT does sets AS_LUAJIT first.
local cthunk = ffi.addressof ~= nil and not AS_LUAJIT

--- Whether Lua has 64-bit integers: then an `int64_t` is one of them, and not a cdata.
native64 = math.type ~= nil and not AS_LUAJIT
--- Whether `<`, `<=` ask the metamethods of operands of different Lua types: 5.2 and later, and LuaJIT for its own cdata.
mixed_order = not cthunk or pcall(function(t) return 1 < t end, setmetatable({}, { __lt = function() return true end }))
--- Whether a metamethod, or a function called by pcall, may yield.
yields = coroutine.wrap(function() return pcall(coroutine.yield, true) end)() == true
--- Whether a metamethod of a cdata may yield: in LuaJIT of its own, and in PUC Lua 5.2 and later.
metamethods_yield = yields and (not cthunk or not jit and not _VERSION:find "^Luau")
--- Whether `#`, `pairs` and the rest ask a userdata's metatable as in 5.2 and later.
modern_pairs = pcall(function()
  for _ in pairs(setmetatable({}, { __pairs = function() error "asked" end })) do break end
end) == false
--- Whether `pairs` asks a cdata's metatype: in LuaJIT of its own, and where it asks any metatable.
cdata_pairs = modern_pairs or not cthunk

--- Compiles a text, whatever the version calls it.
compile = loadstring or load
--- The values of a table, in every version.
unpack_values = unpack or table.unpack
--- Whether a finaliser may give its cdata a finaliser again. In 5.1, 5.2 and LuaJIT a userdata is finalised once.
rearms = not cthunk or _VERSION ~= "Lua 5.1" and _VERSION ~= "Lua 5.2"
--- -0.0, which 5.1 takes for the constant 0.
negative_zero = -1 / math.huge
--- The library of tests/c/calls.c.
TESTLIB = TESTLIB or os.getenv "CTHUNK_TESTLIB"
--- Whether C is code of another platform (`ffi.target`): no string, userdata or library of this process is where it can read it, and
--- its errno is its own.
apart = APART or false
--- Whether the host checks every access (`Policy::checked`): an array then ends where its type says, and C's memory is not read.
checked = CHECKED or false

--- A cdata's number as a Lua number; a number as it is.
function num(x)
  if type(x) == "number" then return x end
  return (ffi.tonumber or tonumber)(x)
end

--- A 64-bit integer's decimal digits, boxed or not.
function digits(x) return (tostring(x):gsub("U?LL$", "")) end

--- Collects garbage until nothing is left to do. In Luau finalisers run when the library is entered next.
function collect()
  for _ = 1, 3 do
    collectgarbage()
    ffi.abi "le"
  end
end

local differences, asserted, count = {}, {}, 0
-- A difference that LuaJIT's own library is said to have, to see that it has not.
local difference = os and os.getenv and os.getenv "CTHUNK_DIFFERENCE"

--- Whether this library departs from LuaJIT in what docs/luajit-differences.md explains under `name`.
function differs(name)
  differences[name] = true
  return cthunk or name == difference
end

local line_at = debug.getinfo and function(level) return debug.getinfo(level + 1, "l").currentline end
  or function(level) return (debug.info(level + 1, "l")) end

local function note(case)
  count = count + 1
  asserted[line_at(3) .. "\t" .. tostring(case or "")] = true
end

--- Asserts `condition`. `case` tells the assertions of a loop apart.
function check(condition, case, ...)
  note(case)
  if not condition then error("not so" .. (case and ": " .. tostring(case) or ""), 2) end
  return condition, case, ...
end

--- Asserts that `f(...)` raises an error whose text matches `pattern`.
function fails(pattern, f, ...)
  note(pattern)
  local ok, message = pcall(f, ...)
  if ok then error("no error, expected: " .. pattern, 2) end
  if not tostring(message):find(pattern) then error(tostring(message) .. " (expected: " .. pattern .. ")", 2) end
end

--- Asserts that two values print the same: for values that are boxed in one Lua and not in another.
function same(value, text)
  note(text)
  if digits(value) ~= text then error(("%s, expected %s"):format(digits(value), text), 2) end
end

--- The report of what was asserted so far.
function suite_report()
  local lines, names = {}, {}
  for key in pairs(asserted) do lines[#lines + 1] = (key:gsub("\n", " ")) end
  for name in pairs(differences) do names[#names + 1] = name end
  table.sort(lines)
  table.sort(names)
  return table.concat(lines, "\n") .. "\nexecuted\t" .. count .. "\ndifferences\t" .. table.concat(names, " ") .. "\n"
end

if arg and arg[1] and arg[0] and arg[0]:find "suite%.lua$" then
  dofile(arg[1])
  io.write(suite_report())
end
