/* One source for Lua 5.1, LuaJIT and 5.2 to 5.4. */
#ifndef AHK_COMPAT_H
#define AHK_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "../base/slice.h"

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

/* Lua is built without our visibility flags: the entry points are all that leaves the object. */
#define AHK_EXPORT __attribute__((visibility("default")))

/* Fills the table on top of the stack (luaL_setfuncs, which 5.1 lacks). */
static inline void ahk_set_functions(lua_State *L, const luaL_Reg *functions)
{
    for (; functions->name != NULL; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

/* The userdata at `index` when its metatable is `name`, else NULL (luaL_testudata, which 5.1 lacks). */
static inline void *ahk_test_userdata(lua_State *L, int index, const char *name)
{
    void *userdata = lua_touserdata(L, index);
    if (userdata == NULL || !lua_getmetatable(L, index)) {
        return NULL;
    }
    luaL_getmetatable(L, name);
    const int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return same ? userdata : NULL;
}

/* Makes the metatable of a handle: its methods, and `close` as __gc and __close too. */
static inline void ahk_new_metatable(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close)
{
    luaL_newmetatable(L, name);
    ahk_set_functions(L, methods);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "close");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable"); /* out of reach: nobody calls our __gc on something else */
    lua_pop(L, 1);
}

/* Pushes a handle of that metatable, zeroed: what it will hold is owned before it is acquired. */
static inline void *ahk_new_handle(lua_State *L, size_t size, const char *name)
{
    void *handle = lua_newuserdata(L, size);
    memset(handle, 0, size);
    luaL_getmetatable(L, name);
    lua_setmetatable(L, -2);
    return handle;
}

static inline ahk_slice ahk_check_slice(lua_State *L, int index)
{
    size_t length = 0;
    const char *data = luaL_checklstring(L, index, &length);
    return (ahk_slice){(const unsigned char *)data, length};
}

static inline void ahk_push_slice(lua_State *L, ahk_slice s)
{
    lua_pushlstring(L, s.length > 0 ? (const char *)s.data : "", s.length);
}

/* Pushes table[key] past any metamethod: while C holds the pointers of a handle, nobody's code may
 * run that could close it. */
static inline void ahk_get_field(lua_State *L, int table, const char *key)
{
    lua_pushstring(L, key);
    lua_rawget(L, table);
}

/* Garbage of that size: in the collector's measure what a handle holds outside of Lua. Unlike a step of the collector
 * it leaves alone one that is stopped. */
static inline void ahk_weigh(lua_State *L, size_t size)
{
    (void)lua_newuserdata(L, size);
    lua_pop(L, 1);
}

/* 2^53: up to here a double holds each whole number. */
#define AHK_EXACT_MAX INT64_C(9007199254740992)

/* Whether the value at `index` is a whole number that Lua holds exactly: an integer, or a float up to AHK_EXACT_MAX. */
static inline bool ahk_test_integer(lua_State *L, int index, int64_t *integer)
{
    if (lua_type(L, index) != LUA_TNUMBER) {
        return false;
    }
#if LUA_VERSION_NUM >= 503
    if (lua_isinteger(L, index)) {
        *integer = lua_tointeger(L, index);
        return true;
    }
#endif
    const double number = lua_tonumber(L, index);
    if (!(fabs(number) <= (double)AHK_EXACT_MAX) || floor(number) != number) {
        return false;
    }
    *integer = (int64_t)number;
    return true;
}

/* Where Lua has no integers, one beyond `most` is pushed as its digits. */
static inline void ahk_push_integer(lua_State *L, int64_t integer, int64_t most)
{
#if LUA_VERSION_NUM >= 503
    (void)most;
    lua_pushinteger(L, (lua_Integer)integer);
#else
    if (integer >= -most && integer <= most) {
        lua_pushnumber(L, (lua_Number)integer);
    } else {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%lld", (long long)integer);
        lua_pushstring(L, digits);
    }
#endif
}

static inline int ahk_push_failure(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

/* Raises what Lua raises: whoever asked cannot be told in another way. */
static inline int ahk_raise_no_memory(lua_State *L)
{
    lua_pushliteral(L, "not enough memory");
    return lua_error(L);
}

#endif
