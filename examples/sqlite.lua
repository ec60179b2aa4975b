-- SQLite: an in-memory database, prepared statements, and a callback for each row.
--
--   apt install libsqlite3-0;  cthunk run examples/sqlite.lua
local ffi = require "ffi"

ffi.cdef [[
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
typedef int (*sqlite3_callback)(void *, int, char **, char **);

const char *sqlite3_libversion(void);
int sqlite3_open(const char *filename, sqlite3 **db);
int sqlite3_close(sqlite3 *db);
const char *sqlite3_errmsg(sqlite3 *db);
void sqlite3_free(void *p);
int sqlite3_exec(sqlite3 *db, const char *sql, sqlite3_callback callback, void *context, char **errmsg);
int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int bytes, sqlite3_stmt **stmt, const char **tail);
int sqlite3_bind_int64(sqlite3_stmt *stmt, int index, int64_t value);
int sqlite3_bind_double(sqlite3_stmt *stmt, int index, double value);
int sqlite3_bind_text(sqlite3_stmt *stmt, int index, const char *text, int bytes, void (*destructor)(void *));
int sqlite3_step(sqlite3_stmt *stmt);
int sqlite3_reset(sqlite3_stmt *stmt);
int sqlite3_finalize(sqlite3_stmt *stmt);
int64_t sqlite3_column_int64(sqlite3_stmt *stmt, int column);
double sqlite3_column_double(sqlite3_stmt *stmt, int column);
const char *sqlite3_column_text(sqlite3_stmt *stmt, int column);
enum { SQLITE_OK = 0, SQLITE_ABORT = 4, SQLITE_ROW = 100, SQLITE_DONE = 101 };
]]
local sqlite = ffi.load "sqlite3"
print("SQLite " .. ffi.string(sqlite.sqlite3_libversion()))

-- Open a database. Lua closes it when it collects the handle.
local out = ffi.new "sqlite3 *[1]"
assert(sqlite.sqlite3_open(":memory:", out) == sqlite.SQLITE_OK)
local db = ffi.gc(out[0], sqlite.sqlite3_close)

local function check(status, expected)
  if status ~= (expected or sqlite.SQLITE_OK) then
    error("sqlite: " .. ffi.string(sqlite.sqlite3_errmsg(db)), 2)
  end
end

local function exec(sql, each)
  local err = ffi.new "char *[1]"
  local status = sqlite.sqlite3_exec(db, sql, each, nil, err)
  if err[0] ~= ffi.NULL then
    local message = ffi.string(err[0])
    sqlite.sqlite3_free(err[0])
    error("sqlite: " .. message, 2)
  end
  check(status)
end

exec "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)"

-- 10,000 rows through a prepared statement.
local stmt_out = ffi.new "sqlite3_stmt *[1]"
check(sqlite.sqlite3_prepare_v2(db, "INSERT INTO item VALUES (?, ?, ?)", -1, stmt_out, nil))
local insert = stmt_out[0]
local TRANSIENT = ffi.cast("void (*)(void *)", -1)
exec "BEGIN"
for i = 1, 10000 do
  local name = "item " .. i
  check(sqlite.sqlite3_bind_int64(insert, 1, i))
  check(sqlite.sqlite3_bind_text(insert, 2, name, #name, TRANSIENT))
  check(sqlite.sqlite3_bind_double(insert, 3, i / 4))
  check(sqlite.sqlite3_step(insert), sqlite.SQLITE_DONE)
  check(sqlite.sqlite3_reset(insert))
end
exec "COMMIT"
check(sqlite.sqlite3_finalize(insert))

-- A query that is read column by column.
check(sqlite.sqlite3_prepare_v2(db, "SELECT count(*), sum(price), max(name) FROM item", -1, stmt_out, nil))
local query = stmt_out[0]
check(sqlite.sqlite3_step(query), sqlite.SQLITE_ROW)
local count, sum = sqlite.sqlite3_column_int64(query, 0), sqlite.sqlite3_column_double(query, 1)
print(("%d rows, sum %.2f, last name %s"):format(ffi.tonumber(count), sum,
  ffi.string(sqlite.sqlite3_column_text(query, 2))))
assert(ffi.tonumber(count) == 10000 and sum == 12501250)
check(sqlite.sqlite3_finalize(query))

-- A query with a callback: SQLite calls Lua for each row.
local rows = {}
local callback = ffi.cast("sqlite3_callback", function(_, columns, values, names)
  local row = {}
  for i = 0, columns - 1 do row[ffi.string(names[i])] = ffi.string(values[i]) end
  rows[#rows + 1] = row
  return 0
end)
exec("SELECT id, name FROM item WHERE id % 2500 = 0 ORDER BY id", callback)
for _, row in ipairs(rows) do print(row.id, row.name) end
assert(#rows == 4 and rows[4].name == "item 10000")

-- A callback that returns 1 stops the query.
callback:set(function() return 1 end)
local ok, message = pcall(exec, "SELECT * FROM item", callback)
assert(not ok and message:find "abort")
callback:free()

-- A wrong statement gives SQLite's error. An error in a callback is raised by the call.
ok, message = pcall(exec, "SELECT id FROM nowhere")
assert(not ok and message:find "no such table: nowhere")
print(message)
ok, message = pcall(exec, "SELECT id FROM item", function() error("enough", 0) end)
assert(not ok and message == "enough")
