/* A quick look over a Lua table, from C because every request goes through it. */
#ifndef AHK_PLAIN_H
#define AHK_PLAIN_H

#include <lua.h>

/* core.is_plain(table): see lua/alipayhk/base/json.lua. */
int ahk_core_is_plain(lua_State *L);

#endif
