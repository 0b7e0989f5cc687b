/* The mistakes that the stress drivers are there to find, so that a spec can see that they do. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../csrc/base/error.h"
#include "../../../csrc/bind/compat.h"

#define PLANTED "planted"

enum { TEXT_BYTES = 100, PIECES = 4, SENTENCE_BYTES = 1000 };

int luaopen_planted(lua_State *L);

/* The malloc that faults.c has not counted. */
void *__real_malloc(size_t size);

typedef struct {
    char *text; /* NULL once closed */
} planted_handle;

static planted_handle *check_open(lua_State *L)
{
    planted_handle *handle = luaL_checkudata(L, 1, PLANTED);
    luaL_argcheck(L, handle->text != NULL, 1, "the handle is closed");
    return handle;
}

static int planted_new(lua_State *L)
{
    planted_handle *handle = lua_newuserdata(L, sizeof *handle);
    handle->text = NULL;
    luaL_getmetatable(L, PLANTED);
    lua_setmetatable(L, -2);
    handle->text = malloc(TEXT_BYTES + 1);
    if (handle->text == NULL) {
        return luaL_error(L, "out of memory");
    }
    memset(handle->text, 'a', TEXT_BYTES);
    handle->text[TEXT_BYTES] = '\0';
    return 1;
}

static int planted_close(lua_State *L)
{
    planted_handle *handle = luaL_checkudata(L, 1, PLANTED);
    free(handle->text);
    handle->text = NULL;
    return 0;
}

static int planted_tostring(lua_State *L)
{
    const planted_handle *handle = luaL_checkudata(L, 1, PLANTED);
    lua_pushstring(L, handle->text != NULL ? PLANTED " (open)" : PLANTED " (closed)");
    return 1;
}

/* Slices of the handle's memory, read after Lua has allocated. */
static int planted_slices(lua_State *L)
{
    const char *text = check_open(L)->text;
    lua_newtable(L);
    for (int i = 0; i < PIECES; i++) {
        lua_pushlstring(L, text + i, TEXT_BYTES - PIECES);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* One piece of memory for each call's answer, pushed piece by piece: a call in between writes over it. */
static int planted_mixed(lua_State *L)
{
    char *text = check_open(L)->text;
    memset(text, *luaL_checkstring(L, 2), TEXT_BYTES);
    lua_newtable(L);
    for (int i = 0; i < PIECES; i++) {
        lua_pushlstring(L, text + i, TEXT_BYTES - PIECES);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* lua_pushstring: Lua 5.1 and LuaJIT collect before they copy, 5.4 copies first. */
static int planted_text(lua_State *L)
{
    lua_pushstring(L, check_open(L)->text);
    return 1;
}

static int planted_covered_by_nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* A failing path that sets no error. */
static int planted_unset_error(lua_State *L)
{
    ahk_error err;
    void *room = malloc(TEXT_BYTES);
    if (room == NULL) {
        return ahk_push_failure(L, err.text);
    }
    free(room);
    lua_pushboolean(L, true);
    return 1;
}

static int planted_leak(lua_State *L)
{
    void *one = malloc(TEXT_BYTES);
    void *other = one != NULL ? malloc(TEXT_BYTES) : NULL;
    if (other == NULL) {
        return ahk_push_failure(L, "out of memory");
    }
    free(one);
    free(other);
    lua_pushboolean(L, true);
    return 1;
}

/* Memory of C's while Lua may raise. */
static int planted_leak_by_longjmp(lua_State *L)
{
    void *room = malloc(TEXT_BYTES);
    if (room == NULL) {
        return ahk_push_failure(L, "out of memory");
    }
    lua_pushliteral(L, "a text that nothing else in this process says");
    free(room);
    return 1;
}

/* "Wrong", for want of memory. */
static int planted_verify(lua_State *L)
{
    void *room = malloc(TEXT_BYTES);
    lua_pushboolean(L, room != NULL);
    free(room);
    return 1;
}

static int planted_throw(lua_State *L)
{
    void *room = malloc(TEXT_BYTES);
    if (room == NULL) {
        return luaL_error(L, "out of memory");
    }
    free(room);
    lua_pushboolean(L, true);
    return 1;
}

static int planted_unchecked(lua_State *L)
{
    char *room = malloc(TEXT_BYTES);
    memset(room, 'a', TEXT_BYTES);
    lua_pushlstring(L, room, TEXT_BYTES);
    free(room);
    return 1;
}

/* Leaves the first descriptor open where there is no second. */
static int planted_leak_descriptor(lua_State *L)
{
    const int one = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int other = one >= 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    if (other < 0) {
        return ahk_push_failure(L, "out of file descriptors");
    }
    (void)close(one);
    (void)close(other);
    lua_pushboolean(L, true);
    return 1;
}

/* Says yes whatever the disk says. */
static int planted_unsynced(lua_State *L)
{
    const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return ahk_push_failure(L, "out of file descriptors");
    }
    (void)fsync(fd);
    (void)close(fd);
    lua_pushboolean(L, true);
    return 1;
}

/* Takes for read what was asked for. */
static int planted_unread(lua_State *L)
{
    char byte = 1;
    const int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return ahk_push_failure(L, "out of file descriptors");
    }
    const ssize_t ignored = read(fd, &byte, 1);
    (void)ignored;
    (void)close(fd);
    lua_pushboolean(L, byte == 0);
    return 1;
}

/* Leaves what only a sanitizer sees, and says something else each time that it fails. */
static int planted_leak_uncounted(lua_State *L)
{
    static void *volatile left;
    static int failures;
    left = __real_malloc(TEXT_BYTES);
    left = NULL;
    for (int i = 0; i < PIECES; i++) {
        void *piece = malloc(TEXT_BYTES);
        if (piece == NULL) {
            char text[SENTENCE_BYTES];
            (void)snprintf(text, sizeof text, "out of memory, which is failure %*d", SENTENCE_BYTES - TEXT_BYTES,
                           ++failures);
            return ahk_push_failure(L, text);
        }
        free(piece);
    }
    lua_pushboolean(L, true);
    return 1;
}

int luaopen_planted(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"slices", planted_slices},
        {"mixed", planted_mixed},
        {"text", planted_text},
        {"__tostring", planted_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new", planted_new},
        {"covered_by_nothing", planted_covered_by_nothing},
        {"unset_error", planted_unset_error},
        {"leak", planted_leak},
        {"leak_by_longjmp", planted_leak_by_longjmp},
        {"leak_uncounted", planted_leak_uncounted},
        {"verify", planted_verify},
        {"unchecked", planted_unchecked},
        {"throw", planted_throw},
        {"leak_descriptor", planted_leak_descriptor},
        {"unsynced", planted_unsynced},
        {"unread", planted_unread},
        {NULL, NULL},
    };
    ahk_new_metatable(L, PLANTED, methods, planted_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
