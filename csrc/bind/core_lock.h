/* core.lock_file: for the library's own use. */
#ifndef AHK_CORE_LOCK_H
#define AHK_CORE_LOCK_H

#include <lua.h>

/* Makes the metatable, and adds `lock_file` to the table on top. */
void ahk_core_lock_open(lua_State *L);

#endif
