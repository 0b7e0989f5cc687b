#include "curl_request.h"

#include <limits.h>
#include <string.h>

#include "compat.h"

/* table[key] as a C string that stays on the stack, NULL when absent. */
static const char *string_field(lua_State *L, int table, const char *key)
{
    ahk_get_field(L, table, key);
    if (lua_isnil(L, -1)) {
        return NULL;
    }
    size_t length = 0;
    const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (value == NULL || strlen(value) != length) {
        luaL_error(L, "request.%s: a string without NUL bytes expected, found %s", key, luaL_typename(L, -1));
    }
    return value;
}

static long count_field(lua_State *L, int table, const char *key)
{
    ahk_get_field(L, table, key);
    const lua_Number value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(value >= 1 && value <= INT_MAX) || value != (lua_Number)(long)value) {
        luaL_error(L, "request.%s: a whole number from 1 on expected", key);
    }
    return (long)value;
}

int ahk_curl_table_field(lua_State *L, int table, const char *key)
{
    ahk_get_field(L, table, key);
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_error(L, "request.%s: a table expected, found %s", key, luaL_typename(L, -1));
    }
    return lua_gettop(L);
}

bool ahk_curl_read_headers(lua_State *L, int headers, ahk_exchange *exchange)
{
    lua_pushnil(L);
    while (lua_next(L, headers) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
            luaL_error(L, "request.headers: names and values are strings");
        }
        ahk_slice name;
        ahk_slice value;
        ahk_error err = AHK_ERROR_INIT;
        name.data = (const unsigned char *)lua_tolstring(L, -2, &name.length);
        value.data = (const unsigned char *)lua_tolstring(L, -1, &value.length);
        const ahk_header_result result = ahk_headers_add(&exchange->headers, name, value, &err);
        if (result == AHK_HEADER_REFUSED) {
            luaL_error(L, "%s", err.text);
        }
        if (result == AHK_HEADER_NO_MEMORY) {
            return false;
        }
        lua_pop(L, 1);
    }
    return true;
}

static void read_tls(lua_State *L, int tls, ahk_request *request)
{
    request->ca_file = string_field(L, tls, "ca_file");
    request->client_cert = string_field(L, tls, "client_cert");
    request->client_key = string_field(L, tls, "client_key");
    request->pinned_public_key = string_field(L, tls, "pinned_public_key");
    const char *min_version = string_field(L, tls, "min_version");
    request->tls_1_3 = min_version != NULL && strcmp(min_version, "1.3") == 0;
    if (min_version != NULL && !request->tls_1_3 && strcmp(min_version, "1.2") != 0) {
        luaL_error(L, "request.tls.min_version: \"1.2\" or \"1.3\" expected");
    }
}

ahk_request ahk_curl_read_request(lua_State *L, int index)
{
    ahk_request request = {0};
    const char *method = string_field(L, index, "method");
    if (method == NULL || strcmp(method, "POST") != 0) {
        luaL_error(L, "request.method: only POST is spoken here");
    }
    request.url = string_field(L, index, "url");
    ahk_get_field(L, index, "body");
    if (request.url == NULL || lua_type(L, -1) != LUA_TSTRING) {
        luaL_error(L, "request.url and request.body are strings");
    }
    request.body.data = (const unsigned char *)lua_tolstring(L, -1, &request.body.length);
    request.connect_timeout_ms = count_field(L, index, "connect_timeout_ms");
    request.timeout_ms = count_field(L, index, "timeout_ms");
    request.max_response_bytes = (size_t)count_field(L, index, "max_response_bytes");

    request.proxy = string_field(L, index, "proxy");
    request.proxy_environment = request.proxy != NULL && strcmp(request.proxy, "environment") == 0;

    ahk_get_field(L, index, "once");
    request.once = lua_toboolean(L, -1) != 0;

    ahk_get_field(L, index, "inspect");
    request.inspect = lua_toboolean(L, -1) != 0;

    ahk_get_field(L, index, "tls");
    if (!lua_isnil(L, -1)) {
        read_tls(L, ahk_curl_table_field(L, index, "tls"), &request);
    }
    return request;
}
