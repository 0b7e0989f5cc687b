/* alipayhk.curl: the libcurl transport for Lua. Blocking: not for nginx handlers.
 *
 * Lua may run a finalizer wherever it allocates, and that may close this very transport, or send over it. So what an
 * exchange has is its own, in a userdata that nobody else can reach, and a transport is asked for when it is needed and
 * not a moment earlier. */
#include <lua.h>

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>

#include "../http/transport.h"
#include "anchors.h"
#include "compat.h"
#include "curl_multi.h"
#include "curl_request.h"
#include "curl_response.h"

#define TRANSPORT "alipayhk.curl"
#define EXCHANGE "alipayhk.curl.exchange"

/* What a transport holds outside of Lua (descriptors, a set of CAs, buffers), in the collector's measure: without it
 * transports that nobody closed would use up all descriptors before the collector saw a reason to look. */
enum { TRANSPORT_WEIGHT = 256 * 1024 };

AHK_EXPORT int luaopen_alipayhk_curl(lua_State *L);

typedef struct {
    ahk_transport *transport; /* NULL once closed */
    int spares;               /* exchanges that are over */
} transport_handle;

static int transport_close(lua_State *L)
{
    transport_handle *handle = luaL_checkudata(L, 1, TRANSPORT);
    ahk_transport *transport = handle->transport;
    handle->transport = NULL;
    ahk_transport_free(transport);
    luaL_unref(L, LUA_REGISTRYINDEX, handle->spares);
    handle->spares = LUA_NOREF;
    return 0;
}

static int transport_tostring(lua_State *L)
{
    const transport_handle *handle = luaL_checkudata(L, 1, TRANSPORT);
    lua_pushstring(L, handle->transport != NULL ? TRANSPORT " (open)" : TRANSPORT " (closed)");
    return 1;
}

/* new(): makes a transport. No I/O yet. */
static int curl_new(lua_State *L)
{
    ahk_weigh(L, TRANSPORT_WEIGHT);
    transport_handle *handle = ahk_new_handle(L, sizeof *handle, TRANSPORT);
    handle->spares = LUA_NOREF;
    handle->spares = ahk_anchors_new(L);
    handle->transport = ahk_transport_new();
    return handle->transport != NULL ? 1 : ahk_raise_no_memory(L);
}

static int exchange_free(lua_State *L)
{
    ahk_exchange_free(luaL_checkudata(L, 1, EXCHANGE));
    return 0;
}

static ahk_exchange *push_exchange(lua_State *L, const transport_handle *handle)
{
    if (ahk_spare_take(L, handle->spares)) {
        return lua_touserdata(L, -1);
    }
    return ahk_new_handle(L, sizeof(ahk_exchange), EXCHANGE);
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
    const transport_handle *handle = luaL_checkudata(L, 1, TRANSPORT);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    luaL_checkstack(L, 32, "the request's strings");
    const ahk_request request = ahk_curl_read_request(L, 2);
    const int headers = ahk_curl_table_field(L, 2, "headers");
    ahk_exchange *exchange = push_exchange(L, handle);
    const int index = lua_gettop(L);
    if (!ahk_curl_read_headers(L, headers, exchange)) {
        return ahk_curl_push_outcome(L, AHK_FAILED_CONNECT, "out of memory: nothing was sent", exchange);
    }
    ahk_error err = AHK_ERROR_INIT;
    ahk_outcome outcome = send_over(L, exchange, &request, &err);
    if (exchange->no_descriptors) {
        /* Those of transports that are garbage come back; nothing was sent. */
        (void)lua_gc(L, LUA_GCCOLLECT, 0);
        outcome = send_over(L, exchange, &request, &err);
    }
    const int results = ahk_curl_push_outcome(L, outcome, err.text, exchange);
    ahk_exchange_clear(exchange);
    ahk_spare_put(L, handle->spares, index);
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
        {"multi", ahk_curl_multi_new},
        {NULL, NULL},
    };
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (pthread_once(&once, initialise) != 0 || initialised != CURLE_OK) {
        return luaL_error(L, "alipayhk.curl: curl_global_init failed");
    }
    ahk_new_metatable(L, EXCHANGE, no_methods, exchange_free);
    ahk_new_metatable(L, TRANSPORT, methods, transport_close);
    ahk_curl_multi_open(L);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
