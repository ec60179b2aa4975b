/* The `lua` command, as far as the tests need it, for Lua versions that are here as source text only:
 *
 *   lua [-e TEXT] ... FILE [ARGUMENT ...] */
#include <stdio.h>
#include <string.h>

#include "lauxlib.h"
#include "lua.h"
#include "lualib.h"

static int traced(lua_State *L) {
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* Calls the chunk on top of the stack with the arguments from `argv` on; returns the exit status. */
static int run(lua_State *L, int loaded, char **argv) {
  int count = 0, handler = lua_gettop(L);
  if (loaded == LUA_OK) {
    lua_pushcfunction(L, traced);
    lua_insert(L, handler);
    for (; argv[count]; count++) lua_pushstring(L, argv[count]);
    loaded = lua_pcall(L, count, 0, handler);
  }
  if (loaded != LUA_OK) fprintf(stderr, "lua: %s\n", lua_tostring(L, -1));
  lua_settop(L, 0);
  return loaded != LUA_OK;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  char *none[] = {NULL};
  int failed = 0, i = 1;
  luaL_openlibs(L);
  for (; !failed && i + 1 < argc && strcmp(argv[i], "-e") == 0; i += 2) {
    failed = run(L, luaL_loadstring(L, argv[i + 1]), none);
  }
  if (!failed && i < argc) {
    lua_createtable(L, 0, 0);
    for (int n = 0; n < argc; n++) {
      lua_pushstring(L, argv[n]);
      lua_rawseti(L, -2, n - i);
    }
    lua_setglobal(L, "arg");
    failed = run(L, luaL_loadfile(L, argv[i]), argv + i + 1);
  }
  lua_close(L);
  return failed;
}
