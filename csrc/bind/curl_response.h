/* What became of an exchange, as a transport's tables. */
#ifndef AHK_CURL_RESPONSE_H
#define AHK_CURL_RESPONSE_H

#include <lua.h>

#include "../http/exchange.h"

/* Pushes { status, headers, body, timing }; gives 1. */
int ahk_curl_push_response(lua_State *L, const ahk_exchange *exchange);

/* Pushes nil and { code, message, timing, http_status }; gives 2. */
int ahk_curl_push_error(lua_State *L, ahk_outcome outcome, const char *message, const ahk_exchange *exchange);

#endif
