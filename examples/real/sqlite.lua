-- SQLite with functions written in Lua: scalar, aggregate, and a collation.
--
--   apt install libsqlite3-dev;  cthunk run examples/real/sqlite.lua;  luajit examples/real/sqlite.lua
--
-- Idioms: methods on an opaque handle (a metatype of a struct that C never shows), handles freed by ffi.gc,
-- out-parameters, the sentinel pointers SQLITE_TRANSIENT and SQLITE_STATIC, callbacks kept as long as C has them.
local ffi = require "ffi"

-- In LuaJIT, compiled code must not call C functions that call back; the interpreter may.
if jit then jit.off(true, true) end

ffi.cdef [[
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
typedef struct sqlite3_context sqlite3_context;
typedef struct sqlite3_value sqlite3_value;
typedef void (*sqlite3_destructor)(void *);
enum {
  SQLITE_OK = 0, SQLITE_ROW = 100, SQLITE_DONE = 101,
  SQLITE_INTEGER = 1, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL,
  SQLITE_UTF8 = 1, SQLITE_DETERMINISTIC = 0x800
};
int sqlite3_open(const char *filename, sqlite3 **db);
int sqlite3_close(sqlite3 *);
const char *sqlite3_errmsg(sqlite3 *);
int sqlite3_changes(sqlite3 *);
int sqlite3_prepare_v2(sqlite3 *, const char *sql, int bytes, sqlite3_stmt **, const char **tail);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_reset(sqlite3_stmt *);
int sqlite3_finalize(sqlite3_stmt *);
int sqlite3_bind_int64(sqlite3_stmt *, int, int64_t);
int sqlite3_bind_double(sqlite3_stmt *, int, double);
int sqlite3_bind_text(sqlite3_stmt *, int, const char *, int bytes, sqlite3_destructor);
int sqlite3_bind_null(sqlite3_stmt *, int);
int sqlite3_column_count(sqlite3_stmt *);
int sqlite3_column_type(sqlite3_stmt *, int);
int64_t sqlite3_column_int64(sqlite3_stmt *, int);
double sqlite3_column_double(sqlite3_stmt *, int);
const char *sqlite3_column_blob(sqlite3_stmt *, int);
int sqlite3_column_bytes(sqlite3_stmt *, int);
int sqlite3_value_type(sqlite3_value *);
double sqlite3_value_double(sqlite3_value *);
const char *sqlite3_value_blob(sqlite3_value *);
int sqlite3_value_bytes(sqlite3_value *);
void sqlite3_result_double(sqlite3_context *, double);
void sqlite3_result_text(sqlite3_context *, const char *, int bytes, sqlite3_destructor);
void sqlite3_result_null(sqlite3_context *);
void sqlite3_result_error(sqlite3_context *, const char *, int bytes);
void *sqlite3_aggregate_context(sqlite3_context *, int bytes);
typedef void (*sqlite3_function)(sqlite3_context *, int, sqlite3_value **);
int sqlite3_create_function(sqlite3 *, const char *name, int arguments, int encoding, void *user,
                            sqlite3_function call, sqlite3_function step, void (*final)(sqlite3_context *));
int sqlite3_create_collation(sqlite3 *, const char *name, int encoding, void *user,
                             int (*compare)(void *, int, const void *, int, const void *));
]]
local C = ffi.load "sqlite3"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
local NULL = ffi.NULL -- nil in LuaJIT, where `pointer == nil` asks for NULL

local TRANSIENT = ffi.cast("sqlite3_destructor", -1) -- "copy this text", as SQLite spells it

local read = { -- the Lua value of a column or an argument
  column = {
    [C.SQLITE_INTEGER] = function(s, i) return number(C.sqlite3_column_int64(s, i)) end,
    [C.SQLITE_FLOAT] = function(s, i) return C.sqlite3_column_double(s, i) end,
    [C.SQLITE_TEXT] = function(s, i) return ffi.string(C.sqlite3_column_blob(s, i), C.sqlite3_column_bytes(s, i)) end,
  },
  value = {
    [C.SQLITE_INTEGER] = C.sqlite3_value_double,
    [C.SQLITE_FLOAT] = C.sqlite3_value_double,
    [C.SQLITE_TEXT] = function(v) return ffi.string(C.sqlite3_value_blob(v), C.sqlite3_value_bytes(v)) end,
  },
}
local function argument(values, i)
  local reader = read.value[C.sqlite3_value_type(values[i])]
  return reader and reader(values[i])
end
local function answer(context, result)
  if type(result) == "number" then
    C.sqlite3_result_double(context, result)
  elseif type(result) == "string" then
    C.sqlite3_result_text(context, result, #result, TRANSIENT)
  else
    C.sqlite3_result_null(context)
  end
end

local bind = {
  number = C.sqlite3_bind_double,
  string = function(s, i, text) return C.sqlite3_bind_text(s, i, text, #text, TRANSIENT) end,
  ["nil"] = function(s, i) return C.sqlite3_bind_null(s, i) end,
}

local Statement = {}
Statement.__index = Statement

function Statement:run(...)
  C.sqlite3_reset(self.handle)
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    self.db:check(bind[type(value)](self.handle, i, value))
  end
  return self
end

-- for a, b in statement:rows(...)
function Statement:rows(...)
  self:run(...)
  return function()
    local status = C.sqlite3_step(self.handle)
    if status == C.SQLITE_DONE then return nil end
    self.db:check(status, C.SQLITE_ROW)
    local row, n = {}, C.sqlite3_column_count(self.handle)
    for i = 0, n - 1 do
      local reader = read.column[C.sqlite3_column_type(self.handle, i)]
      row[i + 1] = reader and reader(self.handle, i)
    end
    return (unpack or table.unpack)(row, 1, n)
  end
end

function Statement:execute(...)
  for _ in self:rows(...) do end
end

-- Methods of `sqlite3 *`; the struct has no declared members.
local callbacks = {}
ffi.metatype("sqlite3", { __index = {
  check = function(db, status, expected)
    if status ~= (expected or C.SQLITE_OK) then error("sqlite: " .. ffi.string(C.sqlite3_errmsg(db)), 0) end
  end,
  prepare = function(db, sql)
    local out = ffi.new "sqlite3_stmt *[1]"
    db:check(C.sqlite3_prepare_v2(db, sql, #sql, out, nil))
    return setmetatable({ handle = ffi.gc(out[0], C.sqlite3_finalize), db = db }, Statement)
  end,
  execute = function(db, sql, ...) db:prepare(sql):execute(...) end,
  one = function(db, sql, ...) return db:prepare(sql):rows(...)() end,
  scalar = function(db, name, arity, f)
    local call = ffi.cast("sqlite3_function", function(context, count, values)
      local arguments = {}
      for i = 0, count - 1 do arguments[i + 1] = argument(values, i) end
      local ok, result = pcall(f, (unpack or table.unpack)(arguments, 1, count))
      if ok then answer(context, result) else C.sqlite3_result_error(context, tostring(result), -1) end
    end)
    callbacks[#callbacks + 1] = call
    local flags = C.SQLITE_UTF8 + C.SQLITE_DETERMINISTIC
    db:check(C.sqlite3_create_function(db, name, arity, flags, nil, call, nil, nil))
  end,
  -- The state of an aggregation is a `ctype`, in memory that SQLite zeroes, hands out and frees.
  aggregate = function(db, name, ctype, step, final)
    local pointer = ffi.typeof(ctype .. " *")
    local size = ffi.sizeof(ctype)
    local function state(context, bytes) return ffi.cast(pointer, C.sqlite3_aggregate_context(context, bytes)) end
    local on_row = ffi.cast("sqlite3_function", function(context, _, values)
      step(state(context, size), argument(values, 0))
    end)
    local on_end = ffi.cast("void (*)(sqlite3_context *)", function(context)
      local s = state(context, 0) -- NULL if there was no row
      answer(context, s ~= ffi.cast(pointer, 0) and final(s) or nil)
    end)
    callbacks[#callbacks + 1], callbacks[#callbacks + 2] = on_row, on_end
    db:check(C.sqlite3_create_function(db, name, 1, C.SQLITE_UTF8, nil, nil, on_row, on_end))
  end,
  collation = function(db, name, compare)
    local callback = ffi.cast("int (*)(void *, int, const void *, int, const void *)", function(_, m, a, n, b)
      return compare(ffi.string(a, m), ffi.string(b, n))
    end)
    callbacks[#callbacks + 1] = callback
    db:check(C.sqlite3_create_collation(db, name, C.SQLITE_UTF8, nil, callback))
  end,
} })

local out = ffi.new "sqlite3 *[1]"
assert(C.sqlite3_open(":memory:", out) == C.SQLITE_OK and out[0] ~= NULL)
local db = ffi.gc(out[0], C.sqlite3_close)

db:execute "CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT, weight REAL)"
local insert = db:prepare "INSERT INTO word (text, weight) VALUES (?, ?)"
for i, word in ipairs { "pear", "Apple", "fig", "apple", "Quince", "plum10", "plum9" } do insert:execute(word, i / 2) end
insert:execute("nothing", nil)
assert(C.sqlite3_changes(db) == 1)

-- A scalar function.
db:scalar("lua_reverse", 1, function(text) return text and text:reverse() end)
db:scalar("lua_gsub", 3, function(text, pattern, replacement) return (text:gsub(pattern, replacement)) end)
assert(db:one "SELECT lua_reverse('stressed')" == "desserts")
assert(db:one "SELECT lua_reverse(NULL)" == nil)
assert(db:one("SELECT lua_gsub(?, '%a+', '<%0>')", "two words") == "<two> <words>")
print("reversed:", db:one "SELECT group_concat(lua_reverse(text), ' ') FROM (SELECT text FROM word ORDER BY id)")

-- An error in the function is an error of the statement.
db:scalar("lua_fails", 0, function() error("not today", 0) end)
local ok, message = pcall(db.one, db, "SELECT lua_fails()")
assert(not ok and message == "sqlite: not today", message)

-- An aggregate function: the variance, by Welford's method.
ffi.cdef "typedef struct { int n; double mean, m2; } variance_state;"
db:aggregate("lua_variance", "variance_state", function(s, x)
  if not x then return end
  s.n = s.n + 1
  local delta = x - s.mean
  s.mean = s.mean + delta / s.n
  s.m2 = s.m2 + delta * (x - s.mean)
end, function(s) return s.n > 1 and s.m2 / (s.n - 1) or nil end)
local variance = db:one "SELECT lua_variance(weight) FROM word"
assert(math.abs(variance - 7 / 6) < 1e-12)
assert(db:one "SELECT lua_variance(weight) FROM word WHERE id > 100" == nil, "no row, no state")
local groups = {}
for initial, v in db:prepare("SELECT lower(substr(text, 1, 1)) g, lua_variance(weight) FROM word GROUP BY g ORDER BY g"):rows() do
  groups[#groups + 1] = ("%s=%s"):format(initial, v and ("%.3f"):format(v) or "none")
end
print("variance:", table.concat(groups, " "))
assert(table.concat(groups, " ") == "a=0.500 f=none n=none p=2.583 q=none")

-- A collation that ignores case, and orders numbers by value.
local function key(text) return text:lower():gsub("%d+", function(d) return ("%09d"):format(d) end) end
db:collation("lua_natural", function(a, b)
  a, b = key(a), key(b)
  return a < b and -1 or a > b and 1 or 0
end)
local sorted = {}
for text in db:prepare("SELECT text FROM word ORDER BY text COLLATE lua_natural, id"):rows() do sorted[#sorted + 1] = text end
print("natural order:", table.concat(sorted, " "))
assert(table.concat(sorted, " ") == "Apple apple fig nothing pear plum9 plum10 Quince")

ok, message = pcall(db.prepare, db, "SELEKT 1")
assert(not ok and message:find 'near "SELEKT": syntax error', message)
print(message)

-- Close statements before their database, free callbacks after it.
insert = nil
collectgarbage() collectgarbage()
assert(C.sqlite3_close(ffi.gc(db, nil)) == C.SQLITE_OK, "a statement is still open")
for _, callback in ipairs(callbacks) do callback:free() end
