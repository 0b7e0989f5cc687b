/* What C works on while Lua goes on: objects that stay, with all that they use, in a table of the registry until they
 * are released. And objects that are not in use and wait in a list there for their next one. */
#ifndef AHK_ANCHORS_H
#define AHK_ANCHORS_H

#include <lua.h>
#include <stdbool.h>

/* Makes such a table, or such a list: its reference in the registry, for luaL_unref. */
int ahk_anchors_new(lua_State *L);

/* Keeps the whole stack but for its first value, which owns the anchors. On top is the object, a userdata; below it the
 * tag by which Lua knows it. Needs room for 6 values. */
void ahk_anchor(lua_State *L, int anchors);

/* Forgets an object, and leaves it on the stack, with its tag on top. Needs room for 6 values. */
void ahk_anchor_release(lua_State *L, int anchors, void *object);

/* Pushes a spare object; false, with nothing pushed, where there is none. Needs room for 3 values. */
bool ahk_spare_take(lua_State *L, int spares);

/* Puts the object at `index` to the spare ones, unless their list is gone. It stays on the stack. Needs room for 2
 * values; may run out of memory, and then the object is not among them. */
void ahk_spare_put(lua_State *L, int spares, int index);

#endif
