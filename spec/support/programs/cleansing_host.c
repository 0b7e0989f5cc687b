/* A Lua interpreter, `cleansing_host script args`, that overwrites what it frees: what is still found in the memory of
 * such a process is not Lua's. Its global `secret(path)` reads a file, and leaves no copy of it but the string. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX = 65536 };

static void *allocate(void *unused, void *old, size_t old_size, size_t size)
{
    (void)unused;
    void *block = size > 0 ? malloc(size) : NULL;
    if (old != NULL && (block != NULL || size == 0)) {
        if (block != NULL) {
            memcpy(block, old, old_size < size ? old_size : size);
        }
        explicit_bzero(old, old_size);
        free(old);
    }
    return block;
}

static int secret(lua_State *L)
{
    static char room[SECRET_MAX];
    FILE *file = fopen(luaL_checkstring(L, 1), "rb");
    if (file == NULL || setvbuf(file, NULL, _IONBF, 0) != 0) {
        return luaL_error(L, "%s cannot be read", lua_tostring(L, 1));
    }
    lua_pushlstring(L, room, fread(room, 1, sizeof room, file));
    (void)fclose(file);
    explicit_bzero(room, sizeof room);
    return 1;
}

int main(int argc, char **argv)
{
    lua_State *L = lua_newstate(allocate, NULL);
    if (L == NULL || argc < 2) {
        return 2;
    }
    luaL_openlibs(L);
    lua_pushcfunction(L, secret);
    lua_setglobal(L, "secret");
    int failed = luaL_loadfile(L, argv[1]);
    for (int i = 2; failed == 0 && i < argc; i++) {
        lua_pushstring(L, argv[i]);
    }
    failed = failed != 0 || lua_pcall(L, argc - 2, 0, 0) != 0;
    if (failed) {
        lua_getglobal(L, "tostring");
        lua_insert(L, -2);
        lua_call(L, 1, 1);
        (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return failed;
}
