-- Escapes in strings that Lua 5.1 and 5.2 do not have, and the lines behind them.
print(loadstring("return 'a\\x41\\x7a', 'z\\z   \n  end', '\\065\\10', \"\\u{48}\"")())
print("a\x41\x7a1", 'z\z
   end', "\x00\x0a" == "\0\n", #"\u{7ff}\u{800}\u{10ffff}", "\u{20AC}uro", [[\x41\z]], "\\x41", "\\\x41")
local t = { ["\x6bey"] = "\xE4" } print(t.key:byte(), #t.key, ("\x25d"):format(5), "é\x41é")
print(debug.getinfo(1, "l").currentline, "one\z

  two", debug.getinfo(1, "l").currentline)
print((loadstring [[return "\xg0"]]), (loadstring [[return "\u{}"]]), (loadstring [[return "\x4"]]))
return(function() print "\x65nd" end)()
