-- `_ENV` is a name like any other.
_ENV = "global"
print(_ENV, _G._ENV, rawget(_G, "_ENV"), print ~= nil)
local t = { _ENV = "field" }
print(t._ENV, t["_ENV"])
function t:method(_ENV) return self._ENV, _ENV, print ~= nil end
print(t:method("parameter"))
do
  local _ENV = _ENV .. " copied"
  print(_ENV, tostring(_ENV))
  _ENV = { x = 1 }
  print(_ENV.x, x, (function() return _ENV.x end)())
end
print(_ENV)
for _ENV = 1, 2 do print(_ENV) end
for _ENV, value in pairs { "item" } do print(_ENV, value) end
repeat local _ENV = true until _ENV
print(_ENV)
local function _ENV() return "function" end
print(_ENV())
function t._ENV() return "in a table" end
print(t._ENV())

-- Function environments go on working around it.
local function reader() return answer end
setfenv(reader, { answer = 42 })
print(reader(), answer, getfenv(reader).answer)
