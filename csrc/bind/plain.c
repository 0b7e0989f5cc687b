#include "plain.h"

#include <math.h>
#include <stdbool.h>

#include "../crypto/codec.h"
#include "compat.h"

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

/* A table may stand in many places: without these a small payload could unfold without end. */
enum { DEPTH_MAX = 8, TABLES_MAX = 1000 };

/* Below this every build of lua-cjson writes all digits of a whole number. */
static bool is_plain_number(lua_Number n)
{
    return n > -1e14 && n < 1e14 && floor(n) == n;
}

/* Text at `index`, which is a string: asking for it converts nothing, so raises nothing. */
static bool is_plain_text(lua_State *L, int index)
{
    size_t length, characters, at;
    const char *text = lua_tolstring(L, index, &length);
    return ahk_utf8_length((ahk_slice){(const unsigned char *)text, length}, &characters, &at);
}

/* The table on top of the stack; leaves the stack as it was. Raises nothing. */
static bool is_plain_table(lua_State *L, int depth, int *tables)
{
    if (depth > DEPTH_MAX || ++*tables > TABLES_MAX || !lua_checkstack(L, 3)) {
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
        plain = length > 0 || (lua_type(L, -2) == LUA_TSTRING && is_plain_text(L, -2));
        if (kind == LUA_TTABLE) {
            plain = plain && is_plain_table(L, depth + 1, tables);
        } else if (kind == LUA_TNUMBER) {
            plain = plain && is_plain_number(lua_tonumber(L, -1));
        } else if (kind == LUA_TSTRING) {
            plain = plain && is_plain_text(L, -1);
        } else {
            plain = plain && kind == LUA_TBOOLEAN;
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
    int tables = 0;
    lua_pushboolean(L, is_plain_table(L, 1, &tables));
    return 1;
}
