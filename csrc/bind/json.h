/* What lua/alipayhk/base/json.lua needs beside lua-cjson. */
#ifndef AHK_BIND_JSON_H
#define AHK_BIND_JSON_H

#include <lua.h>

/* Puts the json_* functions, `empty_array`, `decimal_point` and `in_c_locale` into the table on top of the stack. */
void ahk_core_json_open(lua_State *L);

#endif
