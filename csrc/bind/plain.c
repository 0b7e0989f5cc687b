#include "plain.h"

#include <math.h>
#include <stdbool.h>

#include "../base/utf8.h"
#include "compat.h"

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

/* A key of a list of `length` entries, or of an object where that is 0. */
static bool is_plain_key(lua_State *L, int index, size_t length)
{
    if (length == 0) {
        return lua_type(L, index) == LUA_TSTRING && is_plain_text(L, index);
    }
    if (lua_type(L, index) != LUA_TNUMBER) {
        return false;
    }
    const lua_Number key = lua_tonumber(L, index);
    return key >= 1 && key <= (lua_Number)length && floor(key) == key;
}

static bool is_plain_table(lua_State *L, int depth, int *tables);

static bool is_plain_value(lua_State *L, int depth, int *tables)
{
    switch (lua_type(L, -1)) {
    case LUA_TTABLE:
        return is_plain_table(L, depth, tables);
    case LUA_TNUMBER:
        return is_plain_number(lua_tonumber(L, -1));
    case LUA_TSTRING:
        return is_plain_text(L, -1);
    default:
        return lua_type(L, -1) == LUA_TBOOLEAN;
    }
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
        count++;
        plain = is_plain_key(L, -2, length) && is_plain_value(L, depth + 1, tables);
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
