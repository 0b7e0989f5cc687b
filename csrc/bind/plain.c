#include "plain.h"

#include <math.h>
#include <stdbool.h>

#include "compat.h"

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

enum { DEPTH_MAX = 6 }; /* shallow enough that a table in many places does no harm */

/* Below this every build of lua-cjson writes all digits of a whole number. */
static bool is_plain_number(lua_Number n)
{
    return n > -1e14 && n < 1e14 && floor(n) == n;
}

/* The table on top of the stack; leaves the stack as it was. Raises nothing. */
static bool is_plain_table(lua_State *L, int depth)
{
    if (depth > DEPTH_MAX || !lua_checkstack(L, 3)) {
        return false;
    }
    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        return false;
    }
    const size_t length = lua_rawlen(L, -1);
    size_t count = 0;
    bool plain = true;
    lua_pushnil(L);
    while (plain && lua_next(L, -2) != 0) {
        const int kind = lua_type(L, -1);
        count++;
        plain = length > 0 || lua_type(L, -2) == LUA_TSTRING;
        if (kind == LUA_TTABLE) {
            plain = plain && is_plain_table(L, depth + 1);
        } else if (kind == LUA_TNUMBER) {
            plain = plain && is_plain_number(lua_tonumber(L, -1));
        } else {
            plain = plain && (kind == LUA_TSTRING || kind == LUA_TBOOLEAN);
        }
        lua_pop(L, 1);
    }
    if (!plain) {
        lua_pop(L, 1); /* the key that the walk stopped at */
    }
    return plain && (length == 0 || count == length);
}

int ahk_core_is_plain(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_pushboolean(L, is_plain_table(L, 1));
    return 1;
}
