-- The process ends while an error of a callback waits for C to return: ends.lua HOW [traceback]
local ffi = require "ffi"
if not ffi.addressof then ffi = require "cthunk" end
local how, traceback = ...
if traceback then ffi.option("traceback", "on") end
local function deepest()
  error("the deepest place")
end
local function fails()
  deepest()
end

local lib = ffi.load(assert(os.getenv "CTHUNK_TESTLIB"))
ffi.cdef "void call_and_end(int (*callback)(int), int how);"
local callback = ffi.cast("int (*)(int)", fails)
local ways = { abort = 0, exit = 1, fault = 2, raise = 3, returns = 4, _exit = 5 }
if how == "returns" then
  local ok, message = pcall(lib.call_and_end, callback, ways[how])
  assert(not ok and tostring(message):find("the deepest place", 1, true))
  local shown = select(2, xpcall(lib.call_and_end, ffi.traceback, callback, ways[how]))
  assert(shown:find("the deepest place", 1, true))
  -- The error is what it was; the frames of the callback are shown where they are asked for.
  assert((shown:find("in .*deepest") ~= nil) == (traceback ~= nil), shown)
  print("ok")
  os.exit(0)
end
lib.call_and_end(callback, ways[how])
error "it did not end"
