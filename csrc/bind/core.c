/* alipayhk.core: keys, signatures, RSA_AES and codecs for Lua. Arguments of the wrong type throw at
 * the caller's position; what fails at run time returns nil and a message.
 *
 * Here are the codecs and what is small; keys are in core_key.c. Buffers are userdata on the stack, inputs
 * are arguments there: nothing that a finalizer can free is read. */
#include <lua.h>

#include "../base/clock.h"
#include "../base/interrupt.h"
#include "../base/utf8.h"
#include "../crypto/codec.h"
#include "../crypto/digest.h"
#include "../crypto/library.h"
#include "../crypto/random.h"
#include "compat.h"
#include "core_key.h"
#include "core_lock.h"
#include "core_pool.h"
#include "json.h"
#include "plain.h"

AHK_EXPORT int luaopen_alipayhk_core(lua_State *L);

/* ---- codecs ------------------------------------------------------------------------------------- */

/* base64_encode(bytes): standard base64 with padding, on one line. */
static int core_base64_encode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_BASE64_SIZE(in.length));
    lua_pushlstring(L, out, ahk_base64_encode(in, out));
    return 1;
}

/* base64_decode(text): strict: no white space, padding required. */
static int core_base64_decode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    unsigned char *out = lua_newuserdata(L, AHK_BASE64_DECODED_SIZE(in.length) + 1);
    size_t length = 0;
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_base64_decode(in, out, &length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)out, length);
    return 1;
}

/* hex_encode(bytes): two lower-case digits a byte. */
static int core_hex_encode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_HEX_SIZE(in.length) + 1);
    lua_pushlstring(L, out, ahk_hex_encode(in, out));
    return 1;
}

/* percent_encode(bytes): everything but RFC 3986's unreserved characters as %XX, upper case. */
static int core_percent_encode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_PERCENT_SIZE(in.length) + 1);
    lua_pushlstring(L, out, ahk_percent_encode(in, out));
    return 1;
}

/* base64_percent_encode(bytes): the percent-encoding of the base64. */
static int core_base64_percent_encode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_BASE64_PERCENT_SIZE(in.length));
    lua_pushlstring(L, out, ahk_base64_percent_encode(in, out));
    return 1;
}

/* percent_decode(text): decodes %XX and nothing else: a `+` stays. */
static int core_percent_decode(lua_State *L)
{
    const ahk_slice in = ahk_check_text(L, 1);
    char *out = lua_newuserdata(L, in.length + 1);
    size_t length = 0;
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_percent_decode(in, out, &length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, out, length);
    return 1;
}

/* parse_pairs(header): reads a `key=value,key=value` header: optional spaces, any order, each pair split at its
 * first `=`, values as they stand. A key that comes twice is refused. */
static int core_parse_pairs(lua_State *L)
{
    enum { HEADER_MAX = 16 * 1024 };
    ahk_slice rest = ahk_check_slice(L, 1);
    if (rest.length > HEADER_MAX) {
        return ahk_push_failure(L, "header list: longer than 16 KiB");
    }
    ahk_slice key;
    ahk_slice value;
    ahk_error err = AHK_ERROR_INIT;
    lua_newtable(L);
    ahk_pairs_found found;
    while ((found = ahk_pairs_next(&rest, &key, &value, &err)) == AHK_PAIR) {
        ahk_push_slice(L, key);
        lua_pushvalue(L, -1);
        lua_rawget(L, -3);
        if (!lua_isnil(L, -1)) {
            return ahk_push_failure(L, "header list: a key comes twice");
        }
        lua_pop(L, 1);
        ahk_push_slice(L, value);
        lua_rawset(L, -3);
    }
    return found == AHK_PAIRS_END ? 1 : ahk_push_failure(L, err.text);
}

/* utf8_length(text): counts the characters of UTF-8 text. */
static int core_utf8_length(lua_State *L)
{
    const ahk_slice in = ahk_check_slice(L, 1);
    size_t characters = 0;
    size_t at = 0;
    if (ahk_utf8_length(in, &characters, &at)) {
        lua_pushinteger(L, (lua_Integer)characters);
        return 1;
    }
    lua_pushnil(L);
    lua_pushinteger(L, (lua_Integer)at + 1);
    return 2;
}

/* is_visible(text): whether it has neither white space nor control characters, as far as ASCII knows them. */
static int core_is_visible(lua_State *L)
{
    lua_pushboolean(L, ahk_slice_is_visible(ahk_check_slice(L, 1)));
    return 1;
}

/* sha256(bytes): the digest, 32 bytes. */
static int core_sha256(lua_State *L)
{
    const ahk_slice in = ahk_check_slice(L, 1);
    unsigned char out[AHK_SHA256_SIZE];
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_sha256(in, out, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)out, sizeof out);
    return 1;
}

/* ---- random, time ------------------------------------------------------------------------------- */

/* random_bytes(n): bytes of OpenSSL's generator. */
static int core_random_bytes(lua_State *L)
{
    const lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n <= (lua_Integer)AHK_RANDOM_MAX, 1, "0 to 65536 bytes");
    unsigned char *out = lua_newuserdata(L, (size_t)n + 1);
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_random(out, (size_t)n, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)out, (size_t)n);
    return 1;
}

/* now(): the system clock. */
static int core_now(lua_State *L)
{
    lua_pushnumber(L, ahk_now());
    return 1;
}

/* monotonic(): a clock that never steps back, for measuring spans. */
static int core_monotonic(lua_State *L)
{
    lua_pushnumber(L, ahk_monotonic());
    return 1;
}

/* sleep(ms): blocks the process. Not for nginx handlers: those have ngx.sleep. */
static int core_sleep(lua_State *L)
{
    ahk_sleep_ms(luaL_checknumber(L, 1));
    return 0;
}

/* ---- interrupts --------------------------------------------------------------------------------- */

/* catch_interrupts(): the first SIGINT or SIGTERM from now on is only noted. Not for nginx, which has its own. */
static int core_catch_interrupts(lua_State *L)
{
    (void)L;
    ahk_interrupts_catch();
    return 0;
}

/* interrupted(): whether one was noted. */
static int core_interrupted(lua_State *L)
{
    lua_pushboolean(L, ahk_interrupts_caught());
    return 1;
}

/* ignore_broken_pipes(): a write that nobody reads fails from now on, and ends the process no more. Not for nginx,
 * which has done it. */
static int core_ignore_broken_pipes(lua_State *L)
{
    (void)L;
    ahk_broken_pipes_ignore();
    return 0;
}

int luaopen_alipayhk_core(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"base64_encode", core_base64_encode},
        {"base64_decode", core_base64_decode},
        {"hex_encode", core_hex_encode},
        {"base64_percent_encode", core_base64_percent_encode},
        {"percent_encode", core_percent_encode},
        {"percent_decode", core_percent_decode},
        {"parse_pairs", core_parse_pairs},
        {"utf8_length", core_utf8_length},
        {"is_visible", core_is_visible},
        {"is_plain", ahk_core_is_plain},
        {"sha256", core_sha256},
        {"random_bytes", core_random_bytes},
        {"now", core_now},
        {"monotonic", core_monotonic},
        {"sleep", core_sleep},
        {"catch_interrupts", core_catch_interrupts},
        {"interrupted", core_interrupted},
        {"ignore_broken_pipes", core_ignore_broken_pipes},
        {NULL, NULL},
    };
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_check_libcrypto(&err)) {
        return luaL_error(L, "alipayhk.core: %s", err.text);
    }
    lua_newtable(L);
    ahk_core_key_open(L);
    ahk_core_lock_open(L);
    ahk_core_pool_open(L);
    ahk_core_json_open(L);
    ahk_set_functions(L, functions);
    return 1;
}
