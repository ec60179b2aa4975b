-- FFI Semantics: "C Library namespaces", and ffi.load
local ffi = require "ffi"

ffi.cdef [[
  enum clib_e { CLIB_ONE = 1, CLIB_MINUS = -5, CLIB_BIG = 0x7fffffff };
  static const int CLIB_CONST = 99;
  extern char **environ;
  extern int optind;
  extern const int clib_no_such_variable;
  int clib_no_such_function(void);
  typedef int clib_typedef;
]]
local C = ffi.C

-- Constants.
check(C.CLIB_ONE == 1 and C.CLIB_MINUS == -5 and C.CLIB_BIG == 0x7fffffff)
check(C.CLIB_CONST == 99)
check(type(C.CLIB_ONE) == "number")
fails("attempt to write to constant location", function() C.CLIB_ONE = 2 end)

-- External variables are read and written where they are.
check(C.environ ~= ffi.cast("char **", 0))
check(type(C.optind) == "number")
C.optind = 5
check(C.optind == 5)
C.optind = 1
check(C.optind == 1)
fails("cannot convert 'string' to 'int'", function() C.optind = "x" end)

-- Names that are not declared, and symbols that do not exist.
fails("missing declaration for symbol 'clib_nobody'", function() return C.clib_nobody end)
fails("missing declaration for symbol 'clib_typedef'", function() return C.clib_typedef end)
fails("clib_no_such_function", function() return C.clib_no_such_function end)
fails("clib_no_such_variable", function() return C.clib_no_such_variable end)
fails("", function() return C[5] end)
fails("", function() C.clib_nobody = 1 end)

-- ffi.load: a name, a name with its version, a path.
if ffi.os == "Linux" and not apart then
  ffi.cdef [[ double cos(double); ]]
  local names = { "libm.so.6", "m.so.6" }
  for _, name in ipairs(names) do
    check(ffi.load(name), name)
  end
  if differs "load-search" then
    check(ffi.load("m"), "with the version that is there, or through the linker script")
    check(tostring(ffi.load("libm.so.6")):find("libm.so.6"))
  end
  local m = ffi.load("libm.so.6", true)
  fails("missing declaration for symbol 'clib_nobody'", function() return m.clib_nobody end)
  fails("clib_no_such_function", function() return m.clib_no_such_function end)
end
fails("clib_no_such_library", ffi.load, "clib_no_such_library")
fails("/no/such/path.so", ffi.load, "/no/such/path.so")
fails("string expected", ffi.load, {})
if differs "load-search" and not apart then
  fails("NUL byte", ffi.load, "a\0b")
  fails("nor is there a 'libclib_no_such_library.so.N' in /", ffi.load, "clib_no_such_library")
end

-- A namespace that is not used any more is closed; a variable's reference keeps it.
if ffi.os == "Linux" then
  ffi.cdef [[ extern int signgam; ]]
  for _ = 1, 20 do
    local m = ffi.load(apart and TESTLIB or "libm.so.6")
    check(type(m.signgam) == "number")
  end
  collectgarbage() collectgarbage()
end
