-- The C library's own callbacks, handles and tables: qsort, bsearch, tsearch, dl_iterate_phdr, regcomp, iconv, strftime,
-- glob, getline, printf.
--
--   cthunk run examples/real/libc.lua;  luajit examples/real/libc.lua
--
-- Idioms: comparison callbacks, callbacks with user data, structs declared by their first members, pointers to
-- pointers that C moves, memory from malloc under ffi.gc.
local ffi = require "ffi"

-- In LuaJIT, compiled code must not call C functions that call back; the interpreter may.
if jit then jit.off(true, true) end

ffi.cdef [[
void *malloc(size_t size);
void free(void *p);
typedef struct { char name[16]; int year; double score; } record;
void qsort(void *base, size_t n, size_t size, int (*compare)(const record *, const record *));
void *bsearch(const void *key, const void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

typedef struct tree_node { const char *key; struct tree_node *left, *right; } tree_node;
typedef int (*tree_compare)(const void *, const void *);
void *tsearch(const void *key, void **root, tree_compare compare);
void *tfind(const void *key, void *const *root, tree_compare compare);
void *tdelete(const void *key, void **root, tree_compare compare);
void twalk(const void *root, void (*action)(const void *node, int which, int depth));

struct dl_phdr_info { uintptr_t addr; const char *name; const void *phdr; uint16_t phnum; };
int dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t size, void *data), void *data);

typedef struct {
  void *buffer; unsigned long allocated, used, syntax; void *fastmap, *translate; size_t re_nsub; unsigned flags;
} regex_t;
typedef struct { int rm_so, rm_eo; } regmatch_t;
enum { REG_EXTENDED = 1, REG_ICASE = 2, REG_NOMATCH = 1 };
int regcomp(regex_t *preg, const char *pattern, int flags);
int regexec(const regex_t *preg, const char *text, size_t n, regmatch_t match[], int flags);
size_t regerror(int code, const regex_t *preg, char *buf, size_t size);
void regfree(regex_t *preg);

typedef void *iconv_t;
iconv_t iconv_open(const char *to, const char *from);
size_t iconv(iconv_t cd, char **in, size_t *inleft, char **out, size_t *outleft);
int iconv_close(iconv_t cd);

struct tm { int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst; long tm_gmtoff; const char *tm_zone; };
struct tm *gmtime_r(const int64_t *t, struct tm *out);
int64_t timegm(struct tm *tm);
size_t strftime(char *out, size_t size, const char *format, const struct tm *tm);
char *strptime(const char *text, const char *format, struct tm *tm);

typedef struct { size_t gl_pathc; char **gl_pathv; size_t gl_offs; int gl_flags; void *hooks[5]; } glob_t;
int glob(const char *pattern, int flags, int (*on_error)(const char *path, int e), glob_t *out);
void globfree(glob_t *g);

typedef struct _IO_FILE FILE;
FILE *fmemopen(void *buf, size_t size, const char *mode);
int fclose(FILE *f);
int fputs(const char *s, FILE *f);
int fprintf(FILE *f, const char *format, ...);
long getline(char **line, size_t *size, FILE *f);
int snprintf(char *out, size_t size, const char *format, ...);
double strtod(const char *text, char **end);
long strtol(const char *text, char **end, int base);
int sscanf(const char *text, const char *format, ...);
typedef struct { int quot, rem; } div_t;
div_t div(int a, int b);
char *strtok_r(char *text, const char *separators, char **state);
]]
local C = ffi.C
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
local NULL = ffi.NULL -- nil in LuaJIT, where `pointer == nil` asks for NULL

-- qsort of structs, by two keys; bsearch with an explicit callback.
local records = ffi.new("record[5]", {
  { "Ada", 1815, 9.5 }, { "Alan", 1912, 9 }, { "Grace", 1906, 9.5 }, { "Edsger", 1930, 8.5 }, { "Kurt", 1906, 9 },
})
C.qsort(records, 5, ffi.sizeof "record", function(a, b)
  if a.year ~= b.year then return a.year - b.year end
  return b.score - a.score
end)
local names = {}
for i = 0, 4 do names[i + 1] = ffi.string(records[i].name) end
print("qsort: " .. table.concat(names, " "))
assert(table.concat(names, " ") == "Ada Grace Kurt Alan Edsger")
local by_year = ffi.cast("int (*)(const void *, const void *)", function(a, b)
  return ffi.cast("const record *", a).year - ffi.cast("const record *", b).year
end)
local key = ffi.new("record", { year = 1912 })
local found = C.bsearch(key, records, 5, ffi.sizeof "record", by_year)
assert(ffi.cast("record *", found) - records == 3)
key.year = 2000
assert(C.bsearch(key, records, 5, ffi.sizeof "record", by_year) == NULL)
by_year:free()

-- tsearch: a tree that C balances and Lua orders. Its nodes begin with a pointer to the key.
ffi.cdef "int strcmp(const char *a, const char *b);"
local compare = ffi.cast("tree_compare", function(a, b)
  return C.strcmp(ffi.cast("const char *", a), ffi.cast("const char *", b))
end)
local root, kept = ffi.new "void *[1]", {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch "%a+" do
  local text = ffi.new("char[?]", #word + 1, word)
  kept[#kept + 1] = text
  assert(C.tsearch(text, root, compare) ~= NULL)
end
local order = {}
local visit = ffi.cast("void (*)(const void *, int, int)", function(node, which)
  if which == 1 or which == 3 then -- between the subtrees, or a leaf
    order[#order + 1] = ffi.string(ffi.cast("const tree_node *", node).key)
  end
end)
C.twalk(root[0], visit)
print("tsearch: " .. table.concat(order, " "))
assert(table.concat(order, " ") == "brown dog fox jumps lazy over quick the")
assert(C.tfind(kept[3], root, compare) ~= NULL)
for _, text in ipairs(kept) do C.tdelete(text, root, compare) end
assert(root[0] == NULL)
compare:free() visit:free()

-- dl_iterate_phdr lists the loaded objects; the result of the callback stops it.
local objects, has_libc = 0, false
local stopped = C.dl_iterate_phdr(function(info, size)
  assert(number(size) >= 40)
  objects = objects + 1
  has_libc = has_libc or ffi.string(info.name):find("libc.so", 1, true) ~= nil
  return has_libc and 5 or 0
end, nil)
assert(has_libc and stopped == 5 and objects > 1)
print "dl_iterate_phdr: libc is loaded"

-- Regular expressions: a class around a struct that C fills.
local Regex = ffi.metatype("regex_t", {
  __new = function(ct, pattern, flags)
    local self = ffi.new(ct)
    local code = C.regcomp(self, pattern, flags or C.REG_EXTENDED)
    if code ~= 0 then
      local buf = ffi.new "char[128]"
      C.regerror(code, self, buf, 128)
      error("regex: " .. ffi.string(buf), 2)
    end
    return ffi.gc(self, C.regfree)
  end,
  __index = {
    match = function(self, text)
      local n = number(self.re_nsub) + 1
      local matches, captures = ffi.new("regmatch_t[?]", n), {}
      if C.regexec(self, text, n, matches, 0) == C.REG_NOMATCH then return nil end
      for i = 0, n - 1 do captures[i] = text:sub(matches[i].rm_so + 1, matches[i].rm_eo) end
      return captures
    end,
  },
})
local date = Regex "([0-9]{4})-([0-9]{2})-([0-9]{2})"
local m = date:match "on 2026-11-22 it was"
print(("regex: %s = %s, %s, %s"):format(m[0], m[1], m[2], m[3]))
assert(m[0] == "2026-11-22" and m[1] == "2026" and m[3] == "22" and date:match "never" == nil)
local ok, message = pcall(Regex, "(unbalanced")
assert(not ok and message:find "regex: Unmatched", message)

-- iconv: C moves the pointers and counts down the sizes.
local function convert(to, from, text)
  local cd = C.iconv_open(to, from)
  if ffi.cast("intptr_t", cd) == ffi.cast("intptr_t", -1) then error("no conversion", 2) end
  local input = ffi.new("char[?]", #text + 1, text)
  local output, size = ffi.new "char[64]", 64
  local inp, outp = ffi.new("char *[1]", { input }), ffi.new("char *[1]", { output })
  local inleft, outleft = ffi.new("size_t[1]", #text), ffi.new("size_t[1]", size)
  local status = C.iconv(cd, inp, inleft, outp, outleft)
  C.iconv_close(cd)
  if ffi.cast("intptr_t", status) == ffi.cast("intptr_t", -1) then return nil, inp[0] - input end
  return ffi.string(output, outp[0] - output)
end
assert(convert("UTF-16LE", "UTF-8", "aé€") == "a\0\233\0\172\32")
assert(convert("ISO-8859-1", "UTF-8", "grün") == "gr\252n")
local nothing, at = convert("ISO-8859-1", "UTF-8", "10 €")
assert(nothing == nil and at == 3)
assert(not pcall(convert, "no-such-encoding", "UTF-8", ""))
print "iconv: UTF-16, Latin-1, and where a text cannot be converted"

-- Times.
local tm = ffi.new "struct tm"
assert(C.gmtime_r(ffi.new("int64_t[1]", 1000000000), tm) ~= NULL)
local buf = ffi.new "char[100]"
local n = number(C.strftime(buf, 100, "%Y-%m-%d %H:%M:%S %j", tm))
print("strftime: " .. ffi.string(buf, n))
assert(ffi.string(buf, n) == "2001-09-09 01:46:40 252" and tm.tm_year == 101 and number(C.timegm(tm)) == 1000000000)
local parsed = ffi.new "struct tm"
local text = "2026-11-22 rest"
local input = ffi.new("char[?]", #text + 1, text)
local rest = C.strptime(input, "%Y-%m-%d", parsed)
assert(ffi.string(rest) == " rest" and parsed.tm_mon == 10 and parsed.tm_mday == 22)
assert(C.strptime("no date", "%Y", parsed) == NULL)

-- glob: an array of strings in a struct.
local paths = ffi.new "glob_t"
assert(C.glob("/etc/passw*", 0, nil, paths) == 0)
local matched = {}
for i = 0, number(paths.gl_pathc) - 1 do matched[ffi.string(paths.gl_pathv[i])] = true end
C.globfree(paths)
assert(matched["/etc/passwd"])

-- Streams on memory; a buffer that getline grows.
local room = ffi.new "char[200]"
local stream = ffi.gc(C.fmemopen(room, 200, "w"), C.fclose)
C.fputs("first line\n", stream)
C.fprintf(stream, "%s %.2f %lld %c\n", "second", 2.5, ffi.cast("long long", 2 ^ 40), ffi.cast("int", 33))
C.fclose(ffi.gc(stream, nil))
assert(ffi.string(room) == "first line\nsecond 2.50 1099511627776 !\n")
stream = ffi.gc(C.fmemopen(room, #ffi.string(room), "r"), C.fclose)
local line, size, lines = ffi.new "char *[1]", ffi.new "size_t[1]", {}
while true do
  local length = number(C.getline(line, size, stream))
  if length < 0 then break end
  lines[#lines + 1] = ffi.string(line[0], length - 1)
end
C.free(line[0])
C.fclose(ffi.gc(stream, nil))
print("getline: " .. table.concat(lines, " | "))
assert(#lines == 2 and lines[2] == "second 2.50 1099511627776 !")

-- Numbers out of texts: an end pointer, out-parameters of several types, a struct as result.
local digits = ffi.new("char[20]", "3.25e2xyz")
local stop = ffi.new "char *[1]"
assert(C.strtod(digits, stop) == 325 and ffi.string(stop[0]) == "xyz")
local i, d, s = ffi.new "int[1]", ffi.new "double[1]", ffi.new "char[16]"
assert(C.sscanf("17 -2.5 word", "%d %lf %15s", i, d, s) == 3)
assert(i[0] == 17 and d[0] == -2.5 and ffi.string(s) == "word")
local quotient = C.div(47, 10)
assert(quotient.quot == 4 and quotient.rem == 7)

-- strtok_r changes its text, and keeps its position in a pointer of the caller.
local list, state = ffi.new("char[32]", "a,b;;c"), ffi.new "char *[1]"
local tokens, token = {}, C.strtok_r(list, ",;", state)
while token ~= NULL do
  tokens[#tokens + 1] = ffi.string(token)
  token = C.strtok_r(nil, ",;", state)
end
print("strtok_r: " .. table.concat(tokens, " "))
assert(table.concat(tokens) == "abc")

-- Memory of C that Lua frees.
for _ = 1, 1000 do
  local block = ffi.gc(C.malloc(1000), C.free)
  ffi.fill(block, 1000, 7)
end
local owned = ffi.gc(C.malloc(16), C.free)
C.free(ffi.gc(owned, nil))
print "malloc: freed"
