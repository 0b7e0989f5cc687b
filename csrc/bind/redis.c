/* alipayhk.redis: Redis over libhiredis's parser for Lua. Its connecting and its `call` and `pipeline` block: not for
 * nginx handlers.
 *
 * Lua may run a finalizer wherever it allocates, and that may close this very connection, or send over it. So commands
 * and replies are in a userdata that nobody else can reach, and a connection is asked for when it is needed and not a
 * moment earlier. */
#include <limits.h>
#include <lua.h>
#include <stdio.h>

#include "../redis/redis.h"
#include "compat.h"

#define CONNECTION "alipayhk.redis"
#define EXCHANGE "alipayhk.redis.exchange"

/* What a connection holds outside of Lua, in the collector's measure: see csrc/bind/curl.c. */
enum { CONNECTION_WEIGHT = 64 * 1024 };

/* A reply that a double may only be near to stays text. */
static const int64_t REPLY_MAX = AHK_EXACT_MAX - 1;

AHK_EXPORT int luaopen_alipayhk_redis(lua_State *L);

typedef struct {
    ahk_redis *redis;           /* NULL once closed */
    ahk_redis_exchange pending; /* what was sent and not received; without commands: nothing */
} redis_handle;

/* ---- arguments ------------------------------------------------------------------------------------- */

/* Raises why a command cannot be added: as Lua does it, where memory is short. */
static void refuse(lua_State *L, const ahk_redis_exchange *exchange)
{
    if (exchange->request.overflowed) {
        luaL_error(L, "the commands have more than %d bytes", AHK_REDIS_REQUEST_MAX);
    }
    if (exchange->commands == AHK_REDIS_COMMANDS_MAX) {
        luaL_error(L, "more than %d commands", AHK_REDIS_COMMANDS_MAX);
    }
    (void)ahk_raise_no_memory(L);
}

static void add_text(lua_State *L, ahk_redis_exchange *exchange, ahk_slice text)
{
    if (!ahk_redis_argument(exchange, text)) {
        refuse(L, exchange);
    }
}

static void add_integer(lua_State *L, ahk_redis_exchange *exchange, int64_t number)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    add_text(L, exchange, (ahk_slice){(const unsigned char *)digits, length > 0 ? (size_t)length : 0});
}

/* Adds the value at `index`, the `position`th of its command. */
static void add_argument(lua_State *L, ahk_redis_exchange *exchange, int index, int position)
{
    const int type = lua_type(L, index);
    if (type == LUA_TSTRING) {
        add_text(L, exchange, ahk_check_slice(L, index));
        return;
    }
    int64_t number = 0;
    if (!ahk_test_integer(L, index, &number)) {
        luaL_error(L, "argument %d of a command: a string or a whole number expected, found %s", position,
                   type == LUA_TNUMBER ? "another number: give it as a string" : luaL_typename(L, index));
    }
    add_integer(L, exchange, number);
}

static void begin_command(lua_State *L, ahk_redis_exchange *exchange, size_t arguments)
{
    if (arguments == 0) {
        luaL_error(L, "a command has at least its name");
    }
    if (!ahk_redis_command(exchange, arguments)) {
        refuse(L, exchange);
    }
}

/* Adds the command whose arguments are in the table on top of the stack. */
static void add_command(lua_State *L, ahk_redis_exchange *exchange)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        luaL_error(L, "a pipeline is a list of commands, each a list; found %s", luaL_typename(L, -1));
    }
    const size_t arguments = lua_rawlen(L, -1);
    begin_command(L, exchange, arguments);
    for (size_t i = 1; i <= arguments && i < INT_MAX; i++) {
        lua_rawgeti(L, -1, (int)i);
        add_argument(L, exchange, -1, (int)i);
        lua_pop(L, 1);
    }
}

/* ---- replies --------------------------------------------------------------------------------------- */

static const char *const OUTCOMES[] = {
    [AHK_REDIS_DONE] = "",
    [AHK_REDIS_PENDING] = "",
    [AHK_REDIS_CONNECTION] = "CONNECTION",
    [AHK_REDIS_TIMEOUT] = "TIMEOUT",
    [AHK_REDIS_TLS] = "TLS",
    [AHK_REDIS_PROTOCOL] = "PROTOCOL",
    [AHK_REDIS_NO_MEMORY] = "MEMORY",
};

static void push_text(lua_State *L, const redisReply *reply)
{
    lua_pushlstring(L, reply->str, reply->len);
}

static void push_reply(lua_State *L, const redisReply *reply);

static void push_list(lua_State *L, const redisReply *reply)
{
    luaL_checkstack(L, 4, "a reply");
    lua_createtable(L, (int)reply->elements, 0);
    for (size_t i = 0; i < reply->elements; i++) {
        push_reply(L, reply->element[i]);
        lua_rawseti(L, -2, (int)(i + 1));
    }
}

/* As deep as AHK_REDIS_DEPTH_MAX. An error within a list, as EXEC may give, is { err = text }. */
static void push_reply(lua_State *L, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        push_text(L, reply);
        break;
    case REDIS_REPLY_INTEGER:
        ahk_push_integer(L, reply->integer, REPLY_MAX);
        break;
    case REDIS_REPLY_ARRAY:
        push_list(L, reply);
        break;
    case REDIS_REPLY_ERROR:
        lua_newtable(L);
        push_text(L, reply);
        lua_setfield(L, -2, "err");
        break;
    default:
        lua_pushboolean(L, 0);
    }
}

/* Pushes nil, an error's text, and its first word, or "ERR" where that is none of Redis's. */
static int push_error_reply(lua_State *L, const redisReply *reply)
{
    size_t length = 0;
    while (length < reply->len &&
           ((reply->str[length] >= 'A' && reply->str[length] <= 'Z') || (length > 0 && reply->str[length] == '_'))) {
        length++;
    }
    const bool is_code = length > 0 && (length == reply->len || reply->str[length] == ' ');
    lua_pushnil(L);
    push_text(L, reply);
    lua_pushlstring(L, is_code ? reply->str : "ERR", is_code ? length : 3);
    return 3;
}

static int push_result(lua_State *L, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        return push_error_reply(L, reply);
    }
    push_reply(L, reply);
    return 1;
}

static int push_outcome(lua_State *L, ahk_redis_outcome outcome, const char *message, bool is_sent)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    lua_pushstring(L, OUTCOMES[outcome]);
    lua_pushboolean(L, is_sent);
    return 4;
}

/* ---- a connection ---------------------------------------------------------------------------------- */

static int exchange_free(lua_State *L)
{
    ahk_redis_exchange_free(luaL_checkudata(L, 1, EXCHANGE));
    return 0;
}

static redis_handle *check_open(lua_State *L)
{
    redis_handle *handle = luaL_checkudata(L, 1, CONNECTION);
    luaL_argcheck(L, handle->redis != NULL, 1, "the connection is closed");
    return handle;
}

static redis_handle *check_idle(lua_State *L)
{
    redis_handle *handle = check_open(L);
    luaL_argcheck(L, handle->pending.commands == 0, 1, "the connection is busy: receive what was sent");
    return handle;
}

/* Gives whether there are replies; otherwise the failure is on the stack, as `results` values. */
static bool run(lua_State *L, ahk_redis_exchange *exchange, int *results)
{
    ahk_error err = AHK_ERROR_INIT;
    const ahk_redis_outcome outcome = ahk_redis_run(check_idle(L)->redis, exchange, &err);
    *results = outcome == AHK_REDIS_DONE ? 0 : push_outcome(L, outcome, err.text, exchange->is_sent);
    return outcome == AHK_REDIS_DONE;
}

/* connection:call(...): sends one command; its reply, or nil, a message, a code and whether it may have been
 * executed. */
static int connection_call(lua_State *L)
{
    (void)check_open(L);
    const int arguments = lua_gettop(L) - 1;
    luaL_checkstack(L, 8, "a reply");
    ahk_redis_exchange *exchange = ahk_new_handle(L, sizeof *exchange, EXCHANGE);
    begin_command(L, exchange, (size_t)arguments);
    for (int i = 1; i <= arguments; i++) {
        add_argument(L, exchange, i + 1, i);
    }
    int results = 0;
    if (run(L, exchange, &results)) {
        results = push_result(L, exchange->replies[0]);
    }
    ahk_redis_exchange_free(exchange);
    return results;
}

static void push_results(lua_State *L, const ahk_redis_exchange *exchange)
{
    lua_createtable(L, (int)exchange->count, 0);
    for (size_t i = 0; i < exchange->count; i++) {
        lua_createtable(L, 1, 0);
        const int item = lua_gettop(L);
        const int count = push_result(L, exchange->replies[i]);
        for (int n = count; n >= 1; n--) {
            lua_rawseti(L, item, n);
        }
        lua_rawseti(L, -2, (int)(i + 1));
    }
}

/* Pushes an exchange with the commands of the list that is the second argument. */
static ahk_redis_exchange *push_exchange(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    luaL_checkstack(L, 12, "replies");
    const size_t commands = lua_rawlen(L, 2);
    ahk_redis_exchange *exchange = ahk_new_handle(L, sizeof *exchange, EXCHANGE);
    for (size_t i = 1; i <= commands && i < INT_MAX; i++) {
        lua_rawgeti(L, 2, (int)i);
        add_command(L, exchange);
        lua_pop(L, 1);
    }
    return exchange;
}

/* connection:pipeline(commands): sends them in one go; a list of what `call` gives for each. */
static int connection_pipeline(lua_State *L)
{
    (void)check_open(L);
    ahk_redis_exchange *exchange = push_exchange(L);
    if (exchange->commands == 0) {
        lua_newtable(L);
        return 1;
    }
    int results = 0;
    if (run(L, exchange, &results)) {
        push_results(L, exchange);
        results = 1;
    }
    ahk_redis_exchange_free(exchange);
    return results;
}

/* connection:send(commands): sends a list of them, at least one, as far as that goes without waiting: true, or a
 * failure as of `call`. Nothing else goes over it until all is received. */
static int connection_send(lua_State *L)
{
    (void)check_open(L);
    ahk_redis_exchange *exchange = push_exchange(L);
    luaL_argcheck(L, exchange->commands > 0, 2, "at least one command expected");
    redis_handle *handle = check_idle(L);
    ahk_error err = AHK_ERROR_INIT;
    const ahk_redis_outcome outcome = ahk_redis_begin(handle->redis, exchange, &err);
    if (outcome != AHK_REDIS_PENDING) {
        return push_outcome(L, outcome, err.text, exchange->is_sent);
    }
    handle->pending = *exchange;
    *exchange = (ahk_redis_exchange){0};
    lua_pushboolean(L, 1);
    return 1;
}

static redis_handle *check_pending(lua_State *L)
{
    redis_handle *handle = check_open(L);
    luaL_argcheck(L, handle->pending.commands > 0, 1, "nothing was sent");
    return handle;
}

/* Pushes an exchange, into which what was pending is moved. */
static ahk_redis_exchange *take_pending(lua_State *L)
{
    ahk_redis_exchange *exchange = ahk_new_handle(L, sizeof *exchange, EXCHANGE);
    redis_handle *handle = check_pending(L);
    *exchange = handle->pending;
    handle->pending = (ahk_redis_exchange){0};
    return exchange;
}

/* connection:receive(): goes on with what was sent, without waiting: what `pipeline` gives; or false, the descriptor
 * that it waits for, whether until that is writable as well, and for how many milliseconds at most. */
static int connection_receive(lua_State *L)
{
    redis_handle *handle = check_pending(L);
    lua_settop(L, 1);
    luaL_checkstack(L, 12, "replies");
    ahk_error err = AHK_ERROR_INIT;
    const ahk_redis_outcome outcome = ahk_redis_go_on(handle->redis, &handle->pending, &err);
    if (outcome == AHK_REDIS_PENDING) {
        const ahk_redis_wait wait = ahk_redis_waits_for(handle->redis, &handle->pending);
        lua_pushboolean(L, 0);
        lua_pushinteger(L, wait.fd);
        lua_pushboolean(L, wait.is_writing);
        lua_pushnumber(L, (lua_Number)wait.left_ms);
        return 4;
    }
    ahk_redis_exchange *exchange = take_pending(L);
    int results = 1;
    if (outcome == AHK_REDIS_DONE) {
        push_results(L, exchange);
    } else {
        results = push_outcome(L, outcome, err.text, exchange->is_sent);
    }
    ahk_redis_exchange_free(exchange);
    return results;
}

static int connection_close(lua_State *L)
{
    redis_handle *handle = luaL_checkudata(L, 1, CONNECTION);
    ahk_redis *redis = handle->redis;
    handle->redis = NULL;
    ahk_redis_free(redis);
    ahk_redis_exchange_free(&handle->pending);
    return 0;
}

static int connection_tostring(lua_State *L)
{
    const redis_handle *handle = luaL_checkudata(L, 1, CONNECTION);
    const char *state = handle->redis == NULL ? "closed" : ahk_redis_is_usable(handle->redis) ? "open" : "broken";
    lua_pushfstring(L, CONNECTION " (%s)", state);
    return 1;
}

/* ---- connecting ------------------------------------------------------------------------------------- */

/* options[key] as a C string that stays on the stack, NULL when absent. */
static const char *string_option(lua_State *L, int table, const char *key)
{
    ahk_get_field(L, table, key);
    if (lua_isnil(L, -1)) {
        return NULL;
    }
    size_t length = 0;
    const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (value == NULL || length == 0 || strlen(value) != length) {
        luaL_error(L, "options.%s: a string without NUL bytes expected, found %s", key, luaL_typename(L, -1));
    }
    return value;
}

static long count_option(lua_State *L, int table, const char *key, long most)
{
    ahk_get_field(L, table, key);
    const lua_Number value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(value >= 1 && value <= (lua_Number)most) || value != (lua_Number)(long)value) {
        luaL_error(L, "options.%s: a whole number from 1 to %d expected", key, (int)most);
    }
    lua_pop(L, 1);
    return (long)value;
}

static void read_tls(lua_State *L, ahk_stream_target *target)
{
    ahk_get_field(L, 1, "tls");
    if (lua_isnil(L, -1)) {
        return;
    }
    luaL_argcheck(L, lua_type(L, -1) == LUA_TTABLE, 1, "options.tls: a table expected");
    const int tls = lua_gettop(L);
    target->tls = true;
    target->ca_file = string_option(L, tls, "ca_file");
    target->server_name = string_option(L, tls, "server_name");
    ahk_get_field(L, tls, "verify");
    target->verify = lua_isnil(L, -1) || lua_toboolean(L, -1);
}

static ahk_redis_outcome try_to_connect(lua_State *L, redis_handle *handle, const ahk_stream_target *target,
                                        const long limits[2], bool *no_descriptors, ahk_error *err)
{
    ahk_redis_free(handle->redis);
    handle->redis = ahk_redis_new(target->host, target->port, limits[1]);
    if (handle->redis == NULL) {
        (void)ahk_raise_no_memory(L);
    }
    return ahk_redis_connect(handle->redis, target, limits[0], no_descriptors, err);
}

/* connect(options): a connection; or nil, a message and a code. */
static int redis_connect(lua_State *L)
{
    enum { PORT_MAX = 65535 };
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 16, "the options' strings");
    ahk_stream_target target = {0};
    char port[8];
    target.host = string_option(L, 1, "host");
    luaL_argcheck(L, target.host != NULL, 1, "options.host is required");
    (void)snprintf(port, sizeof port, "%ld", count_option(L, 1, "port", PORT_MAX));
    target.port = port;
    const long limits[] = {
        count_option(L, 1, "connect_timeout_ms", INT_MAX),
        count_option(L, 1, "timeout_ms", INT_MAX),
    };
    read_tls(L, &target);
    ahk_weigh(L, CONNECTION_WEIGHT);
    redis_handle *handle = ahk_new_handle(L, sizeof *handle, CONNECTION);
    ahk_error err = AHK_ERROR_INIT;
    bool no_descriptors = false;
    ahk_redis_outcome outcome = try_to_connect(L, handle, &target, limits, &no_descriptors, &err);
    if (no_descriptors) {
        (void)lua_gc(L, LUA_GCCOLLECT, 0); /* those of connections that are garbage come back */
        outcome = try_to_connect(L, handle, &target, limits, &no_descriptors, &err);
    }
    return outcome == AHK_REDIS_DONE ? 1 : push_outcome(L, outcome, err.text, false);
}

int luaopen_alipayhk_redis(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"call", connection_call},       {"pipeline", connection_pipeline},   {"send", connection_send},
        {"receive", connection_receive}, {"__tostring", connection_tostring}, {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"connect", redis_connect},
        {NULL, NULL},
    };
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    ahk_new_metatable(L, EXCHANGE, no_methods, exchange_free);
    ahk_new_metatable(L, CONNECTION, methods, connection_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
