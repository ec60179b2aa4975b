/* What it costs that a derived cdata keeps its owner: a userdata of a cdata's size with and without a user value that is set.
 *
 *   gcc -O2 benches/keep_alive.c -I/usr/include/lua5.4 -llua5.4 -o /tmp/keep_alive && /tmp/keep_alive
 */
#include <stdio.h>
#include <time.h>
#include <lua.h>
#include <lauxlib.h>

#define COUNT 2000000
#define HEADER 16 /* bytes of a cdata that is a reference */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static double make(lua_State *L, int owner) {
    double start = now();
    for (int i = 0; i < COUNT; i++) {
        lua_newuserdatauv(L, HEADER, owner);
        lua_pushvalue(L, 1);
        lua_setmetatable(L, -2);
        if (owner) {
            lua_pushvalue(L, 2);
            lua_setiuservalue(L, -2, 1);
        }
        lua_pop(L, 1);
    }
    return (now() - start) / COUNT;
}

int main(void) {
    lua_State *L = luaL_newstate();
    lua_newtable(L);
    lua_newuserdatauv(L, 64, 0);
    double best[2] = { 1e9, 1e9 };
    for (int round = 0; round < 10; round++)
        for (int owner = 0; owner < 2; owner++) {
            double t = make(L, owner);
            if (t < best[owner]) best[owner] = t;
        }
    size_t bytes[2];
    for (int owner = 0; owner < 2; owner++) {
        lua_gc(L, LUA_GCSTOP);
        size_t before = lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB);
        for (int i = 0; i < 1000; i++) { lua_newuserdatauv(L, HEADER, owner); lua_pop(L, 1); }
        bytes[owner] = (lua_gc(L, LUA_GCCOUNT) * 1024 + lua_gc(L, LUA_GCCOUNTB) - before) / 1000;
    }
    printf("without an owner: %5.1f ns, %zu bytes\nwith an owner:    %5.1f ns, %zu bytes\n", best[0], bytes[0], best[1], bytes[1]);
    lua_close(L);
    return 0;
}
