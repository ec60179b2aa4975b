-- Operators that touch keywords, and names that have bytes beyond ASCII.
local x, y = 1, {}
if(x)~=nil then print "a" end
if(y[x])==nil then print "b" end
local t = x and(x)==1 or(y)==2
print(t)
local function f() return(x)==1 end print(f())
local function g(n) while(n)~=3 do n=n+1 end return(n) end print(g(0))
repeat local z = 1 until(z)==1
if x==1 then print"c" elseif(x)==2 then end
for i=(x)==1 and 1 or 2,2 do io.write(i," ") end print()
print(not(x)==1, 1 ..x.. 2, x..(x)..x)
local function joined() local s="a".."b"return(s)=="ab"end print(joined())
local größe, π = 3, 3.14
наследник = { ключ = 1, ["ключ"] = 2, sub = { é = 5 } }
print(größe + π, наследник.ключ, наследник["ключ"], наследник.sub.é, #наследник.sub)
local function ƒ(ä, ...) return ä * 2, ... end
print(ƒ(größe, 1))
for ï = 1, 2 do io.write(ï, " ") end print()
for ключ, v in pairs({ é = 1 }) do print(#ключ, v) end
do goto fin; print "no" end
::fin::
do goto ö end
::ö::
наследник.новый = 7 print(наследник["новый"], наследник.новый == 7)
local t = { é = größe, größe, [1] = 2, f = function() return π end }
print(t.é, t[1], t.f())
t.é = t.é + 1 print(t.é, (t.é) == 4)
π = π == 3.14 and "ok" print(π)
local c = -1i return(function() print(-2i,c)local d=5 if(d)~=5 then print"no"else print"yes"end end)()
