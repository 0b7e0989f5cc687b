#include "anchors.h"

#include "compat.h"

int ahk_anchors_new(lua_State *L)
{
    lua_newtable(L);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

/* anchors[object] = { object, tag, ... }. */
void ahk_anchor(lua_State *L, int anchors)
{
    const int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, anchors);
    lua_pushlightuserdata(L, lua_touserdata(L, top));
    lua_createtable(L, top - 1, 0);
    for (int i = top; i > 1; i--) {
        lua_pushvalue(L, i);
        lua_rawseti(L, -2, top - i + 1);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void ahk_anchor_release(lua_State *L, int anchors, void *object)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, anchors);
    lua_pushlightuserdata(L, object);
    lua_rawget(L, -2);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_pushlightuserdata(L, object);
    lua_pushnil(L);
    lua_rawset(L, -6);
}

bool ahk_spare_take(lua_State *L, int spares)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, spares);
    const int count = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
    if (count == 0) {
        lua_pop(L, 1);
        return false;
    }
    lua_rawgeti(L, -1, count);
    lua_pushnil(L);
    lua_rawseti(L, -3, count);
    lua_remove(L, -2);
    return true;
}

void ahk_spare_put(lua_State *L, int spares, int index)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, spares);
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, index);
        lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
    }
    lua_pop(L, 1);
}
