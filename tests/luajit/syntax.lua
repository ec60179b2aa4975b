-- LuaJIT's syntax beyond Lua 5.1: goto.
print((loadstring "goto nowhere"), (loadstring "::twice:: ::twice::"))

-- goto, and names that are keywords elsewhere
do
  local i, found = 1, {}
  ::again::
  if i <= 5 then
    if i % 2 == 0 then goto continue end
    found[#found + 1] = i
    ::continue::
    i = i + 1
    goto again
  end
  print(unpack(found))
  for i = 1, 3 do for j = 1, 3 do if j == 2 then goto next end io.write(i, ":", j, " ") end ::next:: end print()
end
