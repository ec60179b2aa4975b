-- dead
local kept = image
function later() return kept[0] end
