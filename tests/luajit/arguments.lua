-- A cdata, a ctype or a C function where the library, a loop or an operator wants something else: the same outcome, and for a wrong
-- argument the same words.
local ffi = require "ffi"
ffi.cdef [[
  int abs(int); int toupper(int);
  typedef struct { int x; } point_t;
]]

-- The place of an error, the name of the function and the type of a C function's parameters are not compared.
local function report(name, ok, ...)
  local results = {}
  for i = 1, select("#", ...) do
    local text = tostring((select(i, ...)))
    results[i] = text:gsub("^[^:]*:%d+: ", ""):gsub("bad argument #(%d) to '[^']*'", "bad argument #%1"):gsub("0x%x+", "(address)")
      :gsub("'int %(%*%)%(int%)'", "'int (*)()'"):gsub("int %(int%)", "int ()"):gsub("struct %d+", "struct"):gsub("^table: .*", "table")
      :gsub("'int %*' is", "'int' is"):gsub("attempt to get length of .*", "no length"):gsub("'int %(%)' to", "'int (*)()' to")
  end
  print(name, ok, table.concat(results, " "))
end
local function t(name, f, ...) report(name, pcall(f, ...)) end

local objs={arr=ffi.new"int[3]", ct=ffi.typeof"int[3]", f=ffi.C.abs, p=ffi.new"int*", i=5LL, s=ffi.new"point_t"}
local order={"arr","ct","f","p","i","s"}
local fns={
 ipairs=function(o) for i,v in ipairs(o) do end end, pairs=function(o) for i,v in pairs(o) do end end,
 next=function(o) return next(o) end, unpack=function(o) return unpack(o) end,
 concat=function(o) return table.concat(o) end, insert=function(o) return table.insert(o,1) end,
 remove=function(o) return table.remove(o) end, sort=function(o) return table.sort(o) end,
 sort2=function(o) return table.sort({3,1,2},o) end,
 maxn=function(o) return table.maxn(o) end, getn=function(o) return table.getn(o) end,foreach=function(o) return table.foreach(o,print) end,
 foreach2=function(o) return table.foreach({1},o) end, foreachi=function(o) return table.foreachi(o,print) end,
 foreachi2=function(o) return table.foreachi({1},o) end,
 move=function(o) return table.move(o,1,2,3) end,
 move2=function(o) return o == nil or table.move({1,2},1,2,1,o) end,
 select=function(o) return select(o,1,2) end, rawget=function(o) return rawget(o,1) end, rawset=function(o) return rawset(o,1,1) end,
 rawequal=function(o) return rawequal(o,o) end, setmt=function(o) return setmetatable(o,{}) end, setmt2=function(o) return setmetatable({},o) end,
 len=function(o) return #o end, sub=function(o) return string.sub("x", o) end, rep=function(o) return string.rep("x", o) end, slen=function(o) return string.len(o) end,
 byte=function(o) return string.byte(o) end, gsub=function(o) return string.gsub("x", "x", o) end, gsub2=function(o) return string.gsub("x", o, "") end, char=function(o) return string.char(o) end,
 fmtd=function(o) return string.format("%d",o) end, fmts=function(o) return (string.format("%s",o):gsub("0x%x+","X")) end, fmtx=function(o) return string.format("%x",o) end,fmtg=function(o) return string.format("%g",o) end,fmtc=function(o) return string.format("%c",o) end, fmtq=function(o) return string.format("%q",o) end,
 fmtp=function(o) return #string.format("%p",o)>3 end,
 xpcall=function(o) return xpcall(error,o) end, pcall=function(o) return pcall(o,-3) end, cocreate=function(o) return coroutine.create(o) end, cowrap=function(o) return type(coroutine.wrap(o)) end,
 dump=function(o) return string.dump(o) end, setfenv=function(o) return setfenv(o,{}) end, getfenv=function(o) return getfenv(o)==_G end, load=function(o) return load(o) end, loads=function(o) return loadstring(o) end,
 floor=function(o) return math.floor(o) end, max=function(o) return math.max(o,2) end, err=function(o) return error(o) end, assert=function(o) return assert(o)==o end, assert2=function(o) return assert(false,o) end,
 tonumber=function(o) return tonumber(o) end, tonumber16=function(o) return tonumber(o,16) end,type=function(o) return type(o) end, getmt=function(o) return getmetatable(o) end,
 write=function(o) io.write(o) end, open=function(o) return io.open(o) end, date=function(o) return os.date("!%Y",o) end, time=function(o) return os.time(o) end, getinfo=function(o) return debug.getinfo(o) end, getupv=function(o) return debug.getupvalue(o,1) end, setupv=function(o) return debug.setupvalue(o,1,1) end, 
 costatus=function(o) return coroutine.status(o) end, resume=function(o) return coroutine.resume(o) end, traceback=function(o) return debug.traceback(o)==o end, band=function(o) return bit.band(o,1) end, getlocal=function(o) return debug.getlocal(o,1) end,
 tab_new=function(o) return type(require"table.new"(o,o)) end, clear=function(o) return require"table.clear"(o) end, loadlib=function(o) return package.loadlib(o,"x") end, require=function(o) return require(o) end, collect=function(o) return collectgarbage(o) end, newproxy=function(o) return newproxy(o) end, gcinfo=function(o) return type(gcinfo(o)) end, getenv=function(o) return os.getenv(o) end, unpack2=function(o) return unpack({1,2},o) end, concat2=function(o) return table.concat({1,2},o) end, forloop=function(o) assert(not pcall(function() for i=o,3 do end end)) end, forloop2=function(o) assert(not pcall(function() for i=1,o do end end)) end,
 index=function(o) local t={} t[o]=1 return t[o] end,
}
local names={} for k in pairs(fns) do names[#names+1]=k end table.sort(names)
for _,n in ipairs(names) do for _,o in ipairs(order) do if not (o == "ct" and (n == "band" or n == "tonumber")) then t(n.." "..o,fns[n],objs[o]) end end end
