/* A request's table, as a transport takes it, for the C below. */
#ifndef AHK_CURL_REQUEST_H
#define AHK_CURL_REQUEST_H

#include <lua.h>

#include "../http/exchange.h"

/* Reads the table but for its headers; throws where it is none of a request's. The strings are Lua's: they stay on the
 * stack, or as long as the table has them. Needs room for 32 values on the stack. */
ahk_request ahk_curl_read_request(lua_State *L, int index);

/* Leaves table[key], which has to be a table, on the stack; returns its index. */
int ahk_curl_table_field(lua_State *L, int table, const char *key);

/* Adds the headers of that table to the exchange. False when memory is short. */
AHK_MUST_USE bool ahk_curl_read_headers(lua_State *L, int headers, ahk_exchange *exchange);

#endif
