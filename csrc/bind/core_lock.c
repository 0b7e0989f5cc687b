#include "core_lock.h"

#include <unistd.h>

#include "../base/file_lock.h"
#include "compat.h"

#define LOCK "alipayhk.file_lock"

typedef struct {
    int fd;
    bool is_held;
} lock_handle;

static int lock_close(lua_State *L)
{
    lock_handle *handle = luaL_checkudata(L, 1, LOCK);
    if (handle->is_held) {
        handle->is_held = false;
        (void)close(handle->fd);
    }
    return 0;
}

static int lock_tostring(lua_State *L)
{
    const lock_handle *handle = luaL_checkudata(L, 1, LOCK);
    lua_pushstring(L, handle->is_held ? LOCK " (held)" : LOCK " (closed)");
    return 1;
}

/* lock_file(path): the lock on a file, which is made where there is none; false where another holds it; nil and a
 * message where that fails. */
static int core_lock_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    lock_handle *handle = ahk_new_handle(L, sizeof *handle, LOCK);
    ahk_error err = AHK_ERROR_INIT;
    const ahk_file_lock_outcome outcome = ahk_file_lock(path, &handle->fd, &err);
    if (outcome == AHK_FILE_FAILED) {
        return ahk_push_failure(L, err.text);
    }
    handle->is_held = outcome == AHK_FILE_LOCKED;
    if (!handle->is_held) {
        lua_pushboolean(L, 0);
    }
    return 1;
}

void ahk_core_lock_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"__tostring", lock_tostring}, {NULL, NULL}};
    ahk_new_metatable(L, LOCK, methods, lock_close);
    lua_pushcfunction(L, core_lock_file);
    lua_setfield(L, -2, "lock_file");
}
