/* What became of an exchange, as a transport's tables. */
#ifndef AHK_CURL_RESPONSE_H
#define AHK_CURL_RESPONSE_H

#include <lua.h>

#include "../http/exchange.h"

/* Pushes { status, headers, body, timing } where the outcome is AHK_SENT, else nil and { code, message, timing,
 * http_status }; gives the number of results. */
int ahk_curl_push_outcome(lua_State *L, ahk_outcome outcome, const char *message, const ahk_exchange *exchange);

#endif
