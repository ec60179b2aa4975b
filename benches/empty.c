// The floor: the functions of the comparison's C binding (`benchcapi`) that do nothing but give back as many results. What a call of one
// takes is what the interpreter takes.
#include <lauxlib.h>
#include <lua.h>

static int nothing(lua_State *L) { return 0; }
static int argument(lua_State *L) { return 1; }
static int truth(lua_State *L) { lua_pushboolean(L, 1); return 1; }

static const luaL_Reg functions[] = {
  {"b_void", nothing}, {"b_add", argument}, {"b_addd", argument}, {"b_add64", argument}, {"b_slen", argument}, {"b_isodd", truth}, {NULL, NULL},
};

int luaopen_benchcapi(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
