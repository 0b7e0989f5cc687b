/* core.pool: threads that sign and verify, for the library's own use. */
#ifndef AHK_CORE_POOL_H
#define AHK_CORE_POOL_H

#include <lua.h>

/* Makes the metatables, and adds `pool` and `processors` to the table on top. */
void ahk_core_pool_open(lua_State *L);

#endif
