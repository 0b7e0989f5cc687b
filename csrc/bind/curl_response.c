#include "curl_response.h"

#include "compat.h"

static ahk_slice content(const ahk_buffer *buffer)
{
    return (ahk_slice){(const unsigned char *)buffer->data, buffer->length};
}

/* A header that comes more than once is joined with ", ", as RFC 9110 has it. */
static void push_headers(lua_State *L, const ahk_head *head)
{
    ahk_slice lines = content(&head->lines);
    ahk_slice name;
    ahk_slice value;
    lua_createtable(L, 0, head->count);
    while (ahk_head_next(&lines, &name, &value)) {
        ahk_push_slice(L, name);
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
    lua_createtable(L, 0, 5);
    set_number(L, "dns_ms", timing->dns);
    set_number(L, "connect_ms", timing->connect);
    set_number(L, "tls_ms", timing->tls);
    set_number(L, "first_byte_ms", timing->first_byte);
    set_number(L, "total_ms", timing->total);
}

/* Sets what is to be known of the connection, where that was asked for. */
static void set_connection(lua_State *L, const ahk_exchange *exchange)
{
    if (!exchange->is_inspected) {
        return;
    }
    lua_createtable(L, 0, 3);
    ahk_push_slice(L, content(&exchange->chain));
    lua_setfield(L, -2, "chain");
    lua_pushstring(L, exchange->spoken);
    lua_setfield(L, -2, "http_version");
    lua_pushboolean(L, exchange->is_connected);
    lua_setfield(L, -2, "is_made");
    lua_setfield(L, -2, "connection");
}

static int push_response(lua_State *L, const ahk_exchange *exchange)
{
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, (lua_Integer)exchange->status);
    lua_setfield(L, -2, "status");
    ahk_push_slice(L, content(&exchange->body));
    lua_setfield(L, -2, "body");
    push_headers(L, &exchange->head);
    lua_setfield(L, -2, "headers");
    push_timing(L, &exchange->timing);
    lua_setfield(L, -2, "timing");
    set_connection(L, exchange);
    if (exchange->resends > 0) {
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "resent");
    }
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
    set_connection(L, exchange);
    if (exchange->proxy_status != 0) {
        lua_pushinteger(L, (lua_Integer)exchange->proxy_status);
        lua_setfield(L, -2, "http_status");
    }
    return 2;
}

int ahk_curl_push_outcome(lua_State *L, ahk_outcome outcome, const char *message, const ahk_exchange *exchange)
{
    return outcome == AHK_SENT ? push_response(L, exchange) : push_error(L, outcome, message, exchange);
}
