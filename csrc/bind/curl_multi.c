/* Lua may run a finalizer wherever it allocates, and that may close this very multi. So a transfer is a userdata of its
 * own, which its multi leaves alone once it is closed; and a multi is asked for when it is needed and not a moment
 * earlier. What is under way is anchored in a table of the registry: the transfer, the request, whose strings it uses,
 * and the tag by which Lua knows it. */
#include "curl_multi.h"

#include <limits.h>

#include "../http/multi.h"
#include "anchors.h"
#include "compat.h"
#include "curl_request.h"
#include "curl_response.h"

#define MULTI "alipayhk.curl.multi"
#define TRANSFER "alipayhk.curl.transfer"

enum { MOST_MAX = 4096 };

typedef struct {
    ahk_multi *multi; /* NULL once closed */
    int anchors;      /* of what is under way */
    int spares;       /* transfers that are finished */
} multi_handle;

static int multi_close(lua_State *L)
{
    multi_handle *handle = luaL_checkudata(L, 1, MULTI);
    ahk_multi *multi = handle->multi;
    handle->multi = NULL;
    ahk_multi_free(multi);
    luaL_unref(L, LUA_REGISTRYINDEX, handle->anchors);
    luaL_unref(L, LUA_REGISTRYINDEX, handle->spares);
    handle->anchors = LUA_NOREF;
    handle->spares = LUA_NOREF;
    return 0;
}

static int multi_tostring(lua_State *L)
{
    const multi_handle *handle = luaL_checkudata(L, 1, MULTI);
    lua_pushstring(L, handle->multi != NULL ? MULTI " (open)" : MULTI " (closed)");
    return 1;
}

static int transfer_free(lua_State *L)
{
    ahk_transfer *transfer = luaL_checkudata(L, 1, TRANSFER);
    ahk_multi_stop(transfer);
    ahk_exchange_free(&transfer->exchange);
    return 0;
}

int ahk_curl_multi_new(lua_State *L)
{
    const lua_Integer most = luaL_checkinteger(L, 1);
    luaL_argcheck(L, most >= 1 && most <= MOST_MAX, 1, "1 to 4096");
    multi_handle *handle = ahk_new_handle(L, sizeof *handle, MULTI);
    handle->anchors = LUA_NOREF;
    handle->spares = LUA_NOREF;
    handle->anchors = ahk_anchors_new(L);
    handle->spares = ahk_anchors_new(L);
    handle->multi = ahk_multi_new((int)most);
    return handle->multi != NULL ? 1 : ahk_raise_no_memory(L);
}

static multi_handle *check_open(lua_State *L)
{
    multi_handle *handle = luaL_checkudata(L, 1, MULTI);
    luaL_argcheck(L, handle->multi != NULL, 1, "the multi is closed");
    return handle;
}

/* Pushes a transfer that is not under way. */
static ahk_transfer *push_transfer(lua_State *L, const multi_handle *handle)
{
    if (ahk_spare_take(L, handle->spares)) {
        return lua_touserdata(L, -1);
    }
    return ahk_new_handle(L, sizeof(ahk_transfer), TRANSFER);
}

/* multi:start(request, tag): begins to send. What comes of it `finished` says. The request must not be changed. */
static int multi_start(lua_State *L)
{
    multi_handle *handle = check_open(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    luaL_checkstack(L, 48, "the request's strings");
    ahk_transfer *transfer = push_transfer(L, handle);
    transfer->err = (ahk_error)AHK_ERROR_INIT;
    transfer->request = ahk_curl_read_request(L, 2);
    const int headers = ahk_curl_table_field(L, 2, "headers");
    if (!ahk_curl_read_headers(L, headers, &transfer->exchange)) {
        return ahk_raise_no_memory(L);
    }
    lua_settop(L, 4); /* the request, the tag, the transfer */
    ahk_anchor(L, check_open(L)->anchors);
    ahk_multi_start(check_open(L)->multi, transfer);
    return 0;
}

/* multi:wait(ms, [fd], [other], [is_writing]): drives what is under way until something happens on it, or for that
 * long; or until `fd` or `other` is readable, or `other` writable where `is_writing`. False in a child of a fork. */
static int multi_wait(lua_State *L)
{
    const lua_Number ms = luaL_checknumber(L, 2);
    luaL_argcheck(L, ms >= 0, 2, "milliseconds from 0 on");
    struct pollfd others[AHK_MULTI_OTHERS];
    unsigned int count = 0;
    for (int i = 3; i <= 4; i++) {
        if (!lua_isnoneornil(L, i)) {
            const bool is_writing = i == 4 && lua_toboolean(L, 5);
            others[count++] = (struct pollfd){
                .fd = (int)luaL_checkinteger(L, i),
                .events = (short)(is_writing ? POLLIN | POLLOUT : POLLIN),
            };
        }
    }
    const int timeout_ms = ms < INT_MAX ? (int)ms : INT_MAX;
    lua_pushboolean(L, ahk_multi_wait(check_open(L)->multi, timeout_ms, others, count));
    return 1;
}

/* multi:finished(): the tag of one that is finished, and what a transport's send gives; nothing for none. */
static int multi_finished(lua_State *L)
{
    multi_handle *handle = check_open(L);
    luaL_checkstack(L, 16, "what a transport gives");
    ahk_transfer *transfer = ahk_multi_finished(handle->multi);
    if (transfer == NULL) {
        return 0;
    }
    ahk_anchor_release(L, handle->anchors, transfer);
    const int results = ahk_curl_push_outcome(L, transfer->outcome, transfer->err.text, &transfer->exchange);
    ahk_exchange_clear(&transfer->exchange);
    ahk_spare_put(L, handle->spares, lua_gettop(L) - results - 1);
    return results + 1;
}

void ahk_curl_multi_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"start", multi_start},         {"wait", multi_wait}, {"finished", multi_finished},
        {"__tostring", multi_tostring}, {NULL, NULL},
    };
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    ahk_new_metatable(L, TRANSFER, no_methods, transfer_free);
    ahk_new_metatable(L, MULTI, methods, multi_close);
}
