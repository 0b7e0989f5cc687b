/* A Lua interpreter that the stress drivers run in: `stress script args`. It holds the product's objects and links them
 * with its own malloc (see faults.c), so nothing of the product is built in another way. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

#include "faults.h"

int luaopen_alipayhk_core(lua_State *L);
int luaopen_alipayhk_curl(lua_State *L);
int luaopen_alipayhk_keytool(lua_State *L);
int luaopen_alipayhk_redis(lua_State *L);
int luaopen_alipayhk_sqlite(lua_State *L);
int luaopen_planted(lua_State *L);

/* What `require` finds without a file. */
static const luaL_Reg MODULES[] = {
    {"alipayhk.core", luaopen_alipayhk_core},
    {"alipayhk.curl", luaopen_alipayhk_curl},
    {"alipayhk.keytool", luaopen_alipayhk_keytool},
    {"alipayhk.redis", luaopen_alipayhk_redis},
    {"alipayhk.sqlite", luaopen_alipayhk_sqlite},
    {"planted", luaopen_planted},
    {"stress", luaopen_stress},
    {NULL, NULL},
};

static void preload(lua_State *L)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "preload");
    for (const luaL_Reg *module = MODULES; module->name != NULL; module++) {
        lua_pushcfunction(L, module->func);
        lua_setfield(L, -2, module->name);
    }
    lua_pop(L, 2);
}

static int report(lua_State *L)
{
    lua_getglobal(L, "debug");
    lua_getfield(L, -1, "traceback");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 2 || !faults_install()) {
        (void)fprintf(stderr, "usage: stress script args; and no library may have allocated before\n");
        return 2;
    }
    lua_State *L = faults_new_state();
    luaL_openlibs(L);
    preload(L);
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
    lua_pushcfunction(L, report);
    const int failed = luaL_loadfile(L, argv[1]) != 0 || lua_pcall(L, 0, 0, 1) != 0;
    if (failed) {
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return failed;
}
