/* A Lua interpreter for `make test-asan` and `make test-tsan`: as `lua script args`, with the sanitizers linked in, so
 * that only this process runs under them and not the commands that the specs start. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

static int report(lua_State *L)
{
    luaL_traceback(L, L, lua_tostring(L, 1), 1);
    return 1;
}

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    if (L == NULL || argc < 2) {
        return 2;
    }
    luaL_openlibs(L);
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    lua_pushcfunction(L, report);
    int failed = luaL_loadfile(L, argv[1]);
    for (int i = 2; failed == LUA_OK && i < argc; i++) {
        lua_pushstring(L, argv[i]);
    }
    failed = failed != LUA_OK || lua_pcall(L, argc - 2, 0, 1) != LUA_OK;
    if (failed) {
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return failed ? 1 : 0;
}
