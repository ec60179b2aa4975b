#!/usr/bin/env luajit
return { line = debug.getinfo(1, "l").currentline, value = 1LL }
