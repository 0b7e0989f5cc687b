/* alipayhk.curl: the libcurl transport for Lua. Blocking: not for nginx handlers.
 *
 * Lua may run a finalizer wherever it allocates, and that may close this very transport, or send over it. So what an
 * exchange has is its own, in a userdata that nobody else can reach, and a transport is asked for when it is needed and
 * not a moment earlier. */
#include <lua.h>

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "../http/transport.h"
#include "compat.h"

#define TRANSPORT "alipayhk.curl"
#define EXCHANGE "alipayhk.curl.exchange"

/* What a transport holds outside of Lua (descriptors, a set of CAs, buffers), in the collector's measure: without it
 * transports that nobody closed would use up all descriptors before the collector saw a reason to look. */
enum { TRANSPORT_WEIGHT = 256 * 1024 };

AHK_EXPORT int luaopen_alipayhk_curl(lua_State *L);

typedef struct {
    ahk_transport *transport; /* NULL once closed */
} transport_handle;

static int transport_close(lua_State *L)
{
    transport_handle *handle = luaL_checkudata(L, 1, TRANSPORT);
    ahk_transport *transport = handle->transport;
    handle->transport = NULL;
    ahk_transport_free(transport);
    return 0;
}

static int transport_tostring(lua_State *L)
{
    const transport_handle *handle = luaL_checkudata(L, 1, TRANSPORT);
    lua_pushstring(L, handle->transport != NULL ? TRANSPORT " (open)" : TRANSPORT " (closed)");
    return 1;
}

/* Garbage of that size: unlike a step of the collector it leaves alone a collector that is stopped. */
static void weigh(lua_State *L)
{
    (void)lua_newuserdata(L, TRANSPORT_WEIGHT);
    lua_pop(L, 1);
}

/* new(): makes a transport. No I/O yet. */
static int curl_new(lua_State *L)
{
    weigh(L);
    transport_handle *handle = lua_newuserdata(L, sizeof *handle);
    handle->transport = NULL;
    luaL_getmetatable(L, TRANSPORT);
    lua_setmetatable(L, -2);
    handle->transport = ahk_transport_new();
    return handle->transport != NULL ? 1 : luaL_error(L, "out of memory");
}

static int exchange_free(lua_State *L)
{
    ahk_exchange_free(luaL_checkudata(L, 1, EXCHANGE));
    return 0;
}

/* Stays on the stack. */
static ahk_exchange *push_exchange(lua_State *L)
{
    ahk_exchange *exchange = lua_newuserdata(L, sizeof *exchange);
    *exchange = (ahk_exchange){0};
    luaL_getmetatable(L, EXCHANGE);
    lua_setmetatable(L, -2);
    return exchange;
}

/* ---- the request table -------------------------------------------------------------------------- */

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

/* Leaves table[key] on the stack; returns its index. */
static int table_field(lua_State *L, int table, const char *key)
{
    ahk_get_field(L, table, key);
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_error(L, "request.%s: a table expected, found %s", key, luaL_typename(L, -1));
    }
    return lua_gettop(L);
}

static bool read_headers(lua_State *L, int headers, ahk_exchange *exchange)
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

static ahk_request read_request(lua_State *L, int index)
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

    ahk_get_field(L, index, "tls");
    if (!lua_isnil(L, -1)) {
        read_tls(L, table_field(L, index, "tls"), &request);
    }
    return request;
}

/* ---- the response table ------------------------------------------------------------------------- */

static void push_lower(lua_State *L, ahk_slice name)
{
    char *lower = lua_newuserdata(L, name.length + 1);
    for (size_t i = 0; i < name.length; i++) {
        const unsigned char c = name.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    lua_pushlstring(L, lower, name.length);
    lua_remove(L, -2);
}

/* A header that comes more than once is joined with ", ", as RFC 9110 has it. */
static void push_headers(lua_State *L, ahk_slice lines)
{
    ahk_slice name;
    ahk_slice value;
    lua_newtable(L);
    while (ahk_head_next(&lines, &name, &value)) {
        push_lower(L, name);
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            ahk_push_slice(L, value);
        } else {
            lua_pushliteral(L, ", ");
            ahk_push_slice(L, value);
            lua_concat(L, 3);
        }
        lua_rawset(L, -3);
    }
}

static void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

static void push_timing(lua_State *L, const ahk_timing *timing)
{
    lua_newtable(L);
    set_number(L, "dns_ms", timing->dns);
    set_number(L, "connect_ms", timing->connect);
    set_number(L, "tls_ms", timing->tls);
    set_number(L, "first_byte_ms", timing->first_byte);
    set_number(L, "total_ms", timing->total);
}

static ahk_slice content(const ahk_buffer *buffer)
{
    return (ahk_slice){(const unsigned char *)buffer->data, buffer->length};
}

static int push_response(lua_State *L, const ahk_exchange *exchange)
{
    lua_newtable(L);
    lua_pushinteger(L, (lua_Integer)exchange->status);
    lua_setfield(L, -2, "status");
    ahk_push_slice(L, content(&exchange->body));
    lua_setfield(L, -2, "body");
    push_headers(L, content(&exchange->head.lines));
    lua_setfield(L, -2, "headers");
    push_timing(L, &exchange->timing);
    lua_setfield(L, -2, "timing");
    return 1;
}

static int push_error(lua_State *L, ahk_outcome outcome, const char *message, const ahk_exchange *exchange)
{
    static const char *const codes[] = {
        [AHK_SENT] = "",
        [AHK_FAILED_DNS] = "dns",
        [AHK_FAILED_CONNECT] = "connect",
        [AHK_FAILED_TLS] = "tls",
        [AHK_FAILED_PROXY] = "proxy",
        [AHK_FAILED_TIMEOUT] = "timeout",
        [AHK_FAILED_RESET] = "reset",
        [AHK_FAILED_TOO_LARGE] = "too_large",
        [AHK_FAILED_PROTOCOL] = "protocol",
    };
    lua_pushnil(L);
    lua_newtable(L);
    lua_pushstring(L, codes[outcome]);
    lua_setfield(L, -2, "code");
    lua_pushstring(L, message);
    lua_setfield(L, -2, "message");
    push_timing(L, &exchange->timing);
    lua_setfield(L, -2, "timing");
    if (exchange->proxy_status != 0) {
        lua_pushinteger(L, (lua_Integer)exchange->proxy_status);
        lua_setfield(L, -2, "http_status");
    }
    return 2;
}

static ahk_outcome send_over(lua_State *L, ahk_exchange *exchange, const ahk_request *request, ahk_error *err)
{
    const transport_handle *handle = lua_touserdata(L, 1);
    luaL_argcheck(L, handle->transport != NULL, 1, "the transport is closed");
    return ahk_transport_send(handle->transport, exchange, request, err);
}

/* transport:send(request): sends one request and waits for the answer. */
static int transport_send(lua_State *L)
{
    luaL_checkudata(L, 1, TRANSPORT);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    luaL_checkstack(L, 32, "the request's strings");
    const ahk_request request = read_request(L, 2);
    const int headers = table_field(L, 2, "headers");
    ahk_exchange *exchange = push_exchange(L);
    if (!read_headers(L, headers, exchange)) {
        return push_error(L, AHK_FAILED_CONNECT, "out of memory: nothing was sent", exchange);
    }
    ahk_error err = AHK_ERROR_INIT;
    ahk_outcome outcome = send_over(L, exchange, &request, &err);
    if (exchange->no_descriptors) {
        /* Those of transports that are garbage come back; nothing was sent. */
        (void)lua_gc(L, LUA_GCCOLLECT, 0);
        outcome = send_over(L, exchange, &request, &err);
    }
    const int results = outcome == AHK_SENT ? push_response(L, exchange) : push_error(L, outcome, err.text, exchange);
    ahk_exchange_free(exchange); /* not as late as the collector would */
    return results;
}

/* Once a process, and never undone: others may use libcurl too. */
static CURLcode initialised = CURLE_FAILED_INIT;

static void initialise(void)
{
    initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int luaopen_alipayhk_curl(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", transport_send},
        {"__tostring", transport_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"new", curl_new},
        {NULL, NULL},
    };
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, initialise) != 0 || initialised != CURLE_OK) {
        return luaL_error(L, "alipayhk.curl: curl_global_init failed");
    }
    ahk_new_metatable(L, EXCHANGE, no_methods, exchange_free);
    ahk_new_metatable(L, TRANSPORT, methods, transport_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
