/* alipayhk.curl.multi: many requests at once, for the library's own use. */
#ifndef AHK_CURL_MULTI_H
#define AHK_CURL_MULTI_H

#include <lua.h>

/* multi(most): makes one for so many at once. No I/O yet. */
int ahk_curl_multi_new(lua_State *L);

/* Makes the metatables. */
void ahk_curl_multi_open(lua_State *L);

#endif
