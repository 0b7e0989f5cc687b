/* What C works on while Lua goes on: objects that stay, with all that they use, in a table of the registry until they
 * are released. */
#ifndef AHK_ANCHORS_H
#define AHK_ANCHORS_H

#include <lua.h>

/* Makes such a table: its reference in the registry, for luaL_unref. */
int ahk_anchors_new(lua_State *L);

/* Keeps the whole stack but for its first value, which owns the anchors. On top is the object, a userdata; below it the
 * tag by which Lua knows it. Needs room for 6 values. */
void ahk_anchor(lua_State *L, int anchors);

/* Forgets an object, and leaves it on the stack, with its tag on top. Needs room for 6 values. */
void ahk_anchor_release(lua_State *L, int anchors, void *object);

#endif
