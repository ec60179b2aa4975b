-- LMDB: a key-value store in a mapped file, with transactions and cursors.
--
--   apt install liblmdb-dev;  cthunk run examples/real/lmdb.lua;  luajit examples/real/lmdb.lua
--
-- Idioms: a small struct (size, pointer) passed by address both ways, enums as operation codes, methods on opaque
-- handles, a transaction that ends by commit, by abort, or by the garbage collector.
local ffi = require "ffi"

ffi.cdef [[
typedef struct MDB_env MDB_env;
typedef struct MDB_txn MDB_txn;
typedef struct MDB_cursor MDB_cursor;
typedef unsigned MDB_dbi;
typedef struct MDB_val { size_t mv_size; void *mv_data; } MDB_val;
typedef struct MDB_stat {
  unsigned ms_psize, ms_depth;
  size_t ms_branch_pages, ms_leaf_pages, ms_overflow_pages, ms_entries;
} MDB_stat;
typedef enum MDB_cursor_op { MDB_FIRST, MDB_GET_CURRENT = 4, MDB_LAST = 6, MDB_NEXT = 8, MDB_PREV = 12, MDB_SET_RANGE = 17 } MDB_cursor_op;
enum { MDB_RDONLY = 0x20000, MDB_CREATE = 0x40000, MDB_NOSUBDIR = 0x4000, MDB_NOOVERWRITE = 0x10,
       MDB_KEYEXIST = -30799, MDB_NOTFOUND = -30798 };
char *mdb_strerror(int err);
int mdb_env_create(MDB_env **);
int mdb_env_set_mapsize(MDB_env *, size_t);
int mdb_env_open(MDB_env *, const char *path, unsigned flags, unsigned mode);
void mdb_env_close(MDB_env *);
int mdb_txn_begin(MDB_env *, MDB_txn *parent, unsigned flags, MDB_txn **);
int mdb_txn_commit(MDB_txn *);
void mdb_txn_abort(MDB_txn *);
int mdb_dbi_open(MDB_txn *, const char *name, unsigned flags, MDB_dbi *);
int mdb_stat(MDB_txn *, MDB_dbi, MDB_stat *);
int mdb_get(MDB_txn *, MDB_dbi, MDB_val *key, MDB_val *data);
int mdb_put(MDB_txn *, MDB_dbi, MDB_val *key, MDB_val *data, unsigned flags);
int mdb_del(MDB_txn *, MDB_dbi, MDB_val *key, MDB_val *data);
int mdb_cursor_open(MDB_txn *, MDB_dbi, MDB_cursor **);
void mdb_cursor_close(MDB_cursor *);
int mdb_cursor_get(MDB_cursor *, MDB_val *key, MDB_val *data, MDB_cursor_op op);
]]
local C = ffi.load "lmdb"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua

local function check(status, level)
  if status ~= 0 then error("lmdb: " .. ffi.string(C.mdb_strerror(status)), (level or 1) + 1) end
end

-- An `MDB_val` of a string, and the string, which must live as long.
local anchors = setmetatable({}, { __mode = "k" })
local function val(text)
  local v = ffi.new("MDB_val", #text, ffi.cast("void *", ffi.cast("const char *", text)))
  anchors[v] = text
  return v
end
local function text_of(v) return ffi.string(v.mv_data, v.mv_size) end

local Cursor = {}
Cursor.__index = Cursor
function Cursor:move(op)
  local status = C.mdb_cursor_get(self.handle, self.key, self.data, op)
  if status == C.MDB_NOTFOUND then return nil end
  check(status)
  return text_of(self.key), text_of(self.data)
end
function Cursor:from(key)
  self.key = val(key)
  return self:move(C.MDB_SET_RANGE)
end

ffi.metatype("MDB_txn", { __index = {
  database = function(txn, flags)
    local dbi = ffi.new "MDB_dbi[1]"
    check(C.mdb_dbi_open(txn, nil, flags or 0, dbi), 2)
    return dbi[0]
  end,
  put = function(txn, dbi, key, value, flags)
    local status = C.mdb_put(txn, dbi, val(key), val(value), flags or 0)
    if status == C.MDB_KEYEXIST then return false end
    check(status, 2)
    return true
  end,
  get = function(txn, dbi, key)
    local out = ffi.new "MDB_val"
    local status = C.mdb_get(txn, dbi, val(key), out)
    if status == C.MDB_NOTFOUND then return nil end
    check(status, 2)
    return text_of(out)
  end,
  delete = function(txn, dbi, key) check(C.mdb_del(txn, dbi, val(key), nil), 2) end,
  count = function(txn, dbi)
    local stat = ffi.new "MDB_stat"
    check(C.mdb_stat(txn, dbi, stat), 2)
    return number(stat.ms_entries)
  end,
  cursor = function(txn, dbi)
    local out = ffi.new "MDB_cursor *[1]"
    check(C.mdb_cursor_open(txn, dbi, out), 2)
    local handle = ffi.gc(out[0], C.mdb_cursor_close)
    return setmetatable({ handle = handle, key = ffi.new "MDB_val", data = ffi.new "MDB_val" }, Cursor)
  end,
  close = function(txn, cursor) C.mdb_cursor_close(ffi.gc(cursor.handle, nil)) end,
  commit = function(txn) check(C.mdb_txn_commit(ffi.gc(txn, nil)), 2) end,
  abort = function(txn) C.mdb_txn_abort(ffi.gc(txn, nil)) end,
} })
ffi.metatype("MDB_env", { __index = {
  begin = function(env, flags)
    local out = ffi.new "MDB_txn *[1]"
    check(C.mdb_txn_begin(env, nil, flags or 0, out), 2)
    return ffi.gc(out[0], C.mdb_txn_abort)
  end,
} })

local path = os.tmpname()
local function open(size)
  local out = ffi.new "MDB_env *[1]"
  check(C.mdb_env_create(out))
  local env = ffi.gc(out[0], C.mdb_env_close)
  check(C.mdb_env_set_mapsize(env, size))
  check(C.mdb_env_open(env, path, C.MDB_NOSUBDIR, 384))
  return env
end
local function close(env) C.mdb_env_close(ffi.gc(env, nil)) end

os.remove(path)
local env = open(2 ^ 24)
local txn = env:begin()
local dbi = txn:database(C.MDB_CREATE)
for i = 1, 1000 do assert(txn:put(dbi, ("key %04d"):format(i), ("value"):rep(i % 5) .. i)) end
assert(not txn:put(dbi, "key 0001", "twice", C.MDB_NOOVERWRITE))
txn:commit()

txn = env:begin()
txn:delete(dbi, "key 0500")
txn:put(dbi, "binary\0key", "\0\1\2")
assert(txn:count(dbi) == 1000)
txn:abort()

-- Close and open again: committed data is there, aborted data is not.
close(env)
env = open(2 ^ 24)
txn = env:begin(C.MDB_RDONLY)
dbi = txn:database()
assert(txn:count(dbi) == 1000)
assert(txn:get(dbi, "key 0500") == "500" and txn:get(dbi, "key 0007") == "valuevalue7")
assert(txn:get(dbi, "binary\0key") == nil)
print("1000 entries, key 0008 = " .. txn:get(dbi, "key 0008"))

-- A cursor: all items in order, a range, backwards.
local cursor = txn:cursor(dbi)
local n, key = 0, cursor:move(C.MDB_FIRST)
while key do
  n = n + 1
  assert(key == ("key %04d"):format(n))
  key = cursor:move(C.MDB_NEXT)
end
assert(n == 1000)
local at, value = cursor:from "key 0994x"
print("the first one from 'key 0994x' on: " .. at .. " = " .. value)
assert(at == "key 0995" and cursor:move(C.MDB_PREV) == "key 0994" and cursor:move(C.MDB_LAST) == "key 1000")
assert(cursor:from "zzz" == nil)
txn:close(cursor)

local ok, message = pcall(txn.put, txn, dbi, "x", "y")
assert(not ok and message:find "Permission denied", message)
txn:abort()

-- The map is full: the transaction cannot go on, the database is as before.
close(env)
env = open(2 ^ 17)
txn = env:begin()
dbi = txn:database()
ok, message = pcall(function()
  for i = 1, 1000 do txn:put(dbi, "large " .. i, ("x"):rep(1000)) end
end)
assert(not ok and message:find "MDB_MAP_FULL", message)
print(message:match "lmdb: .*")
txn = nil
collectgarbage() collectgarbage()
txn = env:begin(C.MDB_RDONLY) -- the abandoned transaction is gone
dbi = txn:database()
assert(txn:get(dbi, "large 1") == nil and txn:count(dbi) == 1000)
txn:abort()
close(env)
os.remove(path)
os.remove(path .. "-lock")
print "done"
