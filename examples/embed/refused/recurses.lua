-- stack overflow
local list = setmetatable({}, {})
getmetatable(list).__index = function(_, key) return list[key] end
return list.x
