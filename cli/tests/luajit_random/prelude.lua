-- Functions for all programs of a batch: `T(n, f)` runs a statement and prints its outcome, `try(f, …)` is a `pcall` whose error
-- is printed as T prints it. A program is a text; `run(number, text)` runs it under a headline.
ffi = require "ffi"
ffi.cdef [[
  int abs(int); long labs(long); int64_t llabs(int64_t); double fabs(double); double ldexp(double, int);
  double frexp(double, int *); double modf(double, double *);
  int atoi(const char *); long strtol(const char *, char **, int); double strtod(const char *, char **);
  int64_t strtoll(const char *, char **, int); uint64_t strtoull(const char *, char **, int);
  size_t strlen(const char *); int strcmp(const char *, const char *); int memcmp(const void *, const void *, size_t);
  int toupper(int); int isalpha(int); int isdigit(int);
  int snprintf(char *, size_t, const char *, ...); int sscanf(const char *, const char *, ...);
  void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
  void *bsearch(const void *, const void *, size_t, size_t, int (*)(const void *, const void *));
  typedef struct { int quot, rem; } div_t_; div_t_ div(int, int);
  typedef struct { long quot, rem; } ldiv_t_; ldiv_t_ ldiv(long, long);
  typedef int (*compare_doubles)(const double *, const double *);
  struct timeval_ { long sec; int usec; };
]]

-- A text without addresses, numbers of unnamed types, and spellings that docs/luajit-differences.md calls `type-names`.
local function plain(text)
  text = text:gsub(": 0x%x+", ": address"):gsub("builtin#%d+", "address")
  text = text:gsub("struct %d+", "struct"):gsub("union %d+", "union"):gsub("enum %d+", "enum")
  return (text:gsub("signed char", "char"):gsub("unchar", "unsigned char"):gsub("%(void%)", "()"))
end

local function quoted(text)
  return '"' .. plain(text):gsub('[%c"\\\128-\255]', function(c) return ("\\%d"):format(c:byte()) end) .. '"'
end

local show

local function contents(t, depth)
  local keys, texts = {}, {}
  for k, v in pairs(t) do
    local text = show(k, depth - 1)
    keys[#keys + 1] = text
    texts[text] = show(v, depth - 1)
  end
  table.sort(keys)
  for i, text in ipairs(keys) do keys[i] = text .. "=" .. texts[text] end
  return "{" .. table.concat(keys, " ") .. "}"
end

function show(v, depth)
  if v == nil then return "nil" end
  local kind = type(v)
  if kind == "number" or kind == "boolean" then return tostring(v) end
  if kind == "string" then return quoted(v) end
  if kind == "table" then return depth > 0 and contents(v, depth) or "{...}" end
  if kind ~= "cdata" then return kind end
  local ok, text = pcall(tostring, v)
  if not ok then return "cdata" end
  local number = not text:find("^ctype") and tonumber(v)
  return number and plain(text) .. " " .. tostring(number) or plain(text)
end

-- An error that the program raises itself is compared whole; of others the place, as every Lua has words of its own.
local function failure(e)
  if type(e) ~= "string" then return show(e, 3) end
  if e:find("own:", 1, true) then return plain(e) end
  return e:match("^[^:]+:%d+:") or ""
end

local function finish(n, ok, ...)
  if not ok then
    print(n, "error", failure((...)))
    return
  end
  local texts = { n }
  for i = 1, select("#", ...) do texts[i + 1] = show((select(i, ...)), 3) end
  print(table.concat(texts, "\t"))
  return ...
end

function T(n, f) return finish(n, pcall(f)) end

-- The results of a protected call, its error as T prints it.
function outcome(ok, ...)
  if ok then return ok, ... end
  return ok, failure((...))
end

function try(f, ...) return outcome(pcall(f, ...)) end

-- The bytes of an object.
function bytes(object, size)
  local p, texts = ffi.cast("const uint8_t *", object), {}
  for i = 0, size - 1 do texts[i + 1] = ("%02x"):format(p[i]) end
  return table.concat(texts)
end

function run(number, text)
  print("== " .. number)
  local chunk, message = loadstring(text, "=p" .. number)
  if not chunk then return print("does not load", message:match("^[^:]+:%d+:")) end
  local ok, e = pcall(chunk)
  if not ok then print("stopped", failure(e)) end
end
