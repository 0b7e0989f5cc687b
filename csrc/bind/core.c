/* alipayhk.core: keys, signatures, RSA_AES and codecs for Lua. Arguments of the wrong type throw at
 * the caller's position; what fails at run time returns nil and a message.
 *
 * Whatever C holds while Lua may raise lives in a userdata that was pushed before. A key is taken out
 * of its handle last, when no Lua code (a metamethod, a finalizer) can run any more that closes it. */
#include <lua.h>

#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../crypto/codec.h"
#include "../crypto/envelope.h"
#include "../crypto/key.h"
#include "../crypto/library.h"
#include "../crypto/random.h"
#include "../crypto/sign.h"
#include "compat.h"
#include "plain.h"

#define KEY "alipayhk.key"

AHK_EXPORT int luaopen_alipayhk_core(lua_State *L);

/* ---- arguments -------------------------------------------------------------------------------- */

/* A string argument that is not larger than the core's cap. */
static ahk_slice check_text(lua_State *L, int index)
{
    const ahk_slice text = ahk_check_slice(L, index);
    luaL_argcheck(L, text.length <= AHK_MESSAGE_MAX, index, "longer than 64 MiB");
    return text;
}

static void check_options(lua_State *L, int index)
{
    if (!lua_isnoneornil(L, index)) {
        luaL_checktype(L, index, LUA_TTABLE);
    }
}

/* opts[name] as an index into `choices`, `fallback` when absent; any other value throws. */
static int check_choice(lua_State *L, int index, const char *name, const char *const choices[], int fallback)
{
    if (lua_isnoneornil(L, index)) {
        return fallback;
    }
    ahk_get_field(L, index, name);
    int found = lua_isnil(L, -1) ? fallback : -1;
    size_t length = 0;
    const char *value = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    for (int i = 0; value != NULL && choices[i] != NULL; i++) {
        if (strlen(choices[i]) == length && strcmp(value, choices[i]) == 0) {
            found = i;
        }
    }
    if (found < 0) {
        lua_pushfstring(L, "opts.%s: unknown value '%s'", name, value != NULL ? value : luaL_typename(L, -1));
        luaL_argerror(L, index, lua_tostring(L, -1));
    }
    lua_pop(L, 1);
    return found;
}

/* ---- keys --------------------------------------------------------------------------------------- */

typedef struct {
    ahk_key *key; /* NULL once closed */
} key_handle;

static ahk_key *check_key(lua_State *L, int index)
{
    key_handle *handle = luaL_checkudata(L, index, KEY);
    luaL_argcheck(L, handle->key != NULL, index, "the key is closed");
    return handle->key;
}

static int key_close(lua_State *L)
{
    key_handle *handle = luaL_checkudata(L, 1, KEY);
    ahk_key_free(handle->key);
    handle->key = NULL;
    return 0;
}

/* source.<name> as a slice whose string stays on the stack; data is NULL where it is absent. */
static ahk_slice source_field(lua_State *L, int index, const char *name)
{
    ahk_slice value = {NULL, 0};
    ahk_get_field(L, index, name);
    if (!lua_isnil(L, -1)) {
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, index, "file, data and passphrase of a key are strings");
        value.data = (const unsigned char *)lua_tolstring(L, -1, &value.length);
    }
    return value;
}

static int reuse_key(lua_State *L, ahk_key_half half)
{
    if (ahk_key_get_half(check_key(L, 1)) != half) {
        return ahk_push_failure(L, half == AHK_HALF_PRIVATE ? "holds a public key, but a private key is expected here"
                                                            : "holds a private key, but a public key is expected here");
    }
    lua_settop(L, 1);
    return 1;
}

static int read_key(lua_State *L, ahk_key_half half)
{
    if (ahk_test_userdata(L, 1, KEY) != NULL) {
        return reuse_key(L, half);
    }
    ahk_slice data = {NULL, 0};
    ahk_slice file = {NULL, 0};
    ahk_slice passphrase = {NULL, 0};
    lua_settop(L, 1);
    if (lua_type(L, 1) == LUA_TTABLE) {
        file = source_field(L, 1, "file");
        data = source_field(L, 1, "data");
        passphrase = source_field(L, 1, "passphrase");
        luaL_argcheck(L, (file.data != NULL) != (data.data != NULL), 1, "a key table has either `file` or `data`");
        luaL_argcheck(L, file.data == NULL || strlen((const char *)file.data) == file.length, 1,
                      "the file name has a NUL byte");
    } else {
        luaL_argcheck(L, lua_type(L, 1) == LUA_TSTRING, 1, "a key is a string, a table { file = path }, or a key");
        data = ahk_check_slice(L, 1);
    }
    key_handle *handle = lua_newuserdata(L, sizeof *handle);
    handle->key = NULL;
    luaL_getmetatable(L, KEY);
    lua_setmetatable(L, -2);

    ahk_error err;
    handle->key = file.data != NULL ? ahk_key_read_file(half, (const char *)file.data, passphrase, &err)
                                    : ahk_key_read(half, data, passphrase, &err);
    return handle->key != NULL ? 1 : ahk_push_failure(L, err.text);
}

/*** Reads a private key.
 * @function private_key
 * @tparam string|table|key source PEM, DER or bare base64 of PKCS#8, PKCS#1 or SEC1; or
 *   `{ file = path, passphrase = string }`; or `{ data = string, passphrase = string }`
 * @treturn[1] key
 * @treturn[2] nil
 * @treturn[2] string what is wrong with it */
static int core_private_key(lua_State *L)
{
    return read_key(L, AHK_HALF_PRIVATE);
}

/*** Reads a public key: PKCS#1, SubjectPublicKeyInfo, or out of an X.509 certificate.
 * @function public_key
 * @tparam string|table|key source as for `private_key`
 * @treturn[1] key
 * @treturn[2] nil
 * @treturn[2] string what is wrong with it */
static int core_public_key(lua_State *L)
{
    return read_key(L, AHK_HALF_PUBLIC);
}

/* The options as they were given; `digest` is AHK_DIGESTS where the key's type decides. */
static ahk_sign_options check_sign_options(lua_State *L, int index)
{
    static const char *const digests[] = {[AHK_SHA224] = "sha224", [AHK_SHA256] = "sha256", NULL};
    static const char *const encodings[] = {[AHK_ECDSA_DER] = "der", [AHK_ECDSA_P1363] = "p1363", NULL};
    ahk_sign_options options;
    check_options(L, index);
    options.digest = (ahk_digest)check_choice(L, index, "digest", digests, AHK_DIGESTS);
    options.encoding = (ahk_ecdsa_encoding)check_choice(L, index, "encoding", encodings, AHK_ECDSA_DER);
    return options;
}

static ahk_sign_options complete_options(ahk_sign_options options, const ahk_key *key)
{
    if (options.digest == AHK_DIGESTS) {
        options.digest = ahk_sign_defaults(key).digest;
    }
    return options;
}

/*** Signs.
 * @function key:sign
 * @tparam string message the bytes, not their digest
 * @tparam[opt] table opts `digest` ("sha256", "sha224"; by key type when absent) and, for EC,
 *   `encoding` ("der", "p1363")
 * @treturn[1] string the raw signature
 * @treturn[2] nil
 * @treturn[2] string message */
static int key_sign(lua_State *L)
{
    const ahk_slice message = check_text(L, 2);
    const ahk_sign_options options = check_sign_options(L, 3);
    ahk_key *key = check_key(L, 1);
    unsigned char signature[AHK_SIGNATURE_MAX];
    size_t length = 0;
    ahk_error err;
    if (!ahk_sign(key, message, complete_options(options, key), signature, &length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)signature, length);
    return 1;
}

/*** Verifies. A private key verifies with its public half.
 * @function key:verify
 * @tparam string message
 * @tparam string signature raw
 * @tparam[opt] table opts as for `sign`
 * @treturn boolean */
static int key_verify(lua_State *L)
{
    const ahk_slice message = check_text(L, 2);
    const ahk_slice signature = check_text(L, 3);
    const ahk_sign_options options = check_sign_options(L, 4);
    ahk_key *key = check_key(L, 1);
    lua_pushboolean(L, ahk_verify(key, message, signature, complete_options(options, key)));
    return 1;
}

static const char *type_name(const ahk_key *key)
{
    return ahk_key_get_type(key) == AHK_KEY_RSA ? "RSA" : "EC";
}

static int key_type(lua_State *L)
{
    lua_pushstring(L, type_name(check_key(L, 1)));
    return 1;
}

static int key_bits(lua_State *L)
{
    lua_pushinteger(L, ahk_key_get_bits(check_key(L, 1)));
    return 1;
}

static int key_fingerprint(lua_State *L)
{
    lua_pushstring(L, ahk_key_get_fingerprint(check_key(L, 1)));
    return 1;
}

static int key_tostring(lua_State *L)
{
    const key_handle *handle = luaL_checkudata(L, 1, KEY);
    if (handle->key == NULL) {
        lua_pushliteral(L, KEY " (closed)");
    } else {
        lua_pushfstring(L, KEY " (%s %s, %d bits)",
                        ahk_key_get_half(handle->key) == AHK_HALF_PRIVATE ? "private" : "public",
                        type_name(handle->key), ahk_key_get_bits(handle->key));
    }
    return 1;
}

/* ---- RSA_AES ------------------------------------------------------------------------------------ */

static ahk_key_padding check_padding(lua_State *L, int index)
{
    static const char *const paddings[] = {[AHK_KEY_PADDING_PKCS1] = "pkcs1", [AHK_KEY_PADDING_OAEP] = "oaep", NULL};
    check_options(L, index);
    return (ahk_key_padding)check_choice(L, index, "key_padding", paddings, AHK_KEY_PADDING_PKCS1);
}

static int check_key_bits(lua_State *L, int index)
{
    lua_Number bits = 256;
    if (!lua_isnoneornil(L, index)) {
        ahk_get_field(L, index, "key_bits");
        if (!lua_isnil(L, -1)) {
            bits = lua_tonumber(L, -1);
        }
        lua_pop(L, 1);
    }
    luaL_argcheck(L, bits == 128 || bits == 192 || bits == 256, index, "opts.key_bits is 128, 192 or 256");
    return (int)bits;
}

/*** Encrypts a body under a fresh AES key, and that key for its receiver.
 * @function seal
 * @tparam string plaintext
 * @tparam key public_key the receiver's, RSA
 * @tparam[opt] table opts `key_padding` ("pkcs1", "oaep"), `key_bits` (256, 192, 128)
 * @treturn[1] string the body in base64
 * @treturn[1] string the wrapped key in base64
 * @treturn[2] nil
 * @treturn[2] string message */
static int core_seal(lua_State *L)
{
    const ahk_slice plaintext = check_text(L, 1);
    const ahk_key_padding padding = check_padding(L, 3);
    const int bits = check_key_bits(L, 3);
    char wrapped[AHK_WRAPPED_KEY_SIZE];
    size_t body_length = 0;
    size_t wrapped_length = 0;
    char *body = lua_newuserdata(L, AHK_SEALED_BODY_SIZE(plaintext.length));
    const ahk_key *key = check_key(L, 2);
    ahk_error err;
    if (!ahk_seal(key, plaintext, padding, bits, body, &body_length, wrapped, &wrapped_length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, body, body_length);
    lua_pushlstring(L, wrapped, wrapped_length);
    return 2;
}

/*** Decrypts what `seal` made. Verify the message's signature first: ECB protects nothing.
 * @function open
 * @tparam string body in base64
 * @tparam string wrapped_key in base64
 * @tparam key private_key RSA
 * @tparam[opt] table opts `key_padding` ("pkcs1", "oaep")
 * @treturn[1] string plaintext
 * @treturn[2] nil
 * @treturn[2] string "decryption failed", whatever the cause */
static int core_open(lua_State *L)
{
    const ahk_slice body = check_text(L, 1);
    const ahk_slice wrapped_key = check_text(L, 2);
    const ahk_key_padding padding = check_padding(L, 4);
    size_t length = 0;
    unsigned char *plaintext = lua_newuserdata(L, AHK_OPENED_SIZE(body.length));
    const ahk_key *key = check_key(L, 3);
    if (!ahk_open(key, body, wrapped_key, padding, plaintext, &length)) {
        return ahk_push_failure(L, "decryption failed");
    }
    lua_pushlstring(L, (const char *)plaintext, length);
    return 1;
}

/* ---- codecs ------------------------------------------------------------------------------------- */

/*** Standard base64 with padding, on one line.
 * @function base64_encode
 * @tparam string bytes
 * @treturn string */
static int core_base64_encode(lua_State *L)
{
    const ahk_slice in = check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_BASE64_SIZE(in.length));
    lua_pushlstring(L, out, ahk_base64_encode(in, out));
    return 1;
}

/*** Strict: no white space, padding required.
 * @function base64_decode
 * @tparam string text
 * @treturn[1] string bytes
 * @treturn[2] nil
 * @treturn[2] string message */
static int core_base64_decode(lua_State *L)
{
    const ahk_slice in = check_text(L, 1);
    unsigned char *out = lua_newuserdata(L, AHK_BASE64_DECODED_SIZE(in.length) + 1);
    size_t length = 0;
    ahk_error err;
    if (!ahk_base64_decode(in, out, &length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)out, length);
    return 1;
}

/*** Two lower-case digits a byte.
 * @function hex_encode
 * @tparam string bytes
 * @treturn string */
static int core_hex_encode(lua_State *L)
{
    const ahk_slice in = check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_HEX_SIZE(in.length) + 1);
    lua_pushlstring(L, out, ahk_hex_encode(in, out));
    return 1;
}

/*** Everything but RFC 3986's unreserved characters as %XX, upper case.
 * @function percent_encode
 * @tparam string bytes
 * @treturn string */
static int core_percent_encode(lua_State *L)
{
    const ahk_slice in = check_text(L, 1);
    char *out = lua_newuserdata(L, AHK_PERCENT_SIZE(in.length) + 1);
    lua_pushlstring(L, out, ahk_percent_encode(in, out));
    return 1;
}

/*** Decodes %XX and nothing else: a `+` stays.
 * @function percent_decode
 * @tparam string text
 * @treturn[1] string bytes
 * @treturn[2] nil
 * @treturn[2] string message */
static int core_percent_decode(lua_State *L)
{
    const ahk_slice in = check_text(L, 1);
    char *out = lua_newuserdata(L, in.length + 1);
    size_t length = 0;
    ahk_error err;
    if (!ahk_percent_decode(in, out, &length, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, out, length);
    return 1;
}

/*** Reads a `key=value,key=value` header: optional spaces, any order, each pair split at its first
 * `=`, values as they stand. A key that comes twice is refused.
 * @function parse_pairs
 * @tparam string header at most 16 KiB
 * @treturn[1] table
 * @treturn[2] nil
 * @treturn[2] string message */
static int core_parse_pairs(lua_State *L)
{
    enum { HEADER_MAX = 16 * 1024 };
    ahk_slice rest = ahk_check_slice(L, 1);
    if (rest.length > HEADER_MAX) {
        return ahk_push_failure(L, "header list: longer than 16 KiB");
    }
    ahk_slice key;
    ahk_slice value;
    ahk_error err;
    lua_newtable(L);
    while (ahk_pairs_next(&rest, &key, &value, &err)) {
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
    return err.text[0] == '\0' ? 1 : ahk_push_failure(L, err.text);
}

/*** Counts the characters of UTF-8 text.
 * @function utf8_length
 * @tparam string text
 * @treturn[1] integer
 * @treturn[2] nil
 * @treturn[2] integer position of the first byte that is not valid UTF-8 */
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

/* ---- random, time ------------------------------------------------------------------------------- */

/*** Bytes of OpenSSL's generator.
 * @function random_bytes
 * @tparam integer n 0 to 65536
 * @treturn[1] string
 * @treturn[2] nil
 * @treturn[2] string message */
static int core_random_bytes(lua_State *L)
{
    const lua_Integer n = luaL_checkinteger(L, 1);
    luaL_argcheck(L, n >= 0 && n <= (lua_Integer)AHK_RANDOM_MAX, 1, "0 to 65536 bytes");
    unsigned char *out = lua_newuserdata(L, (size_t)n + 1);
    ahk_error err;
    if (!ahk_random(out, (size_t)n, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)out, (size_t)n);
    return 1;
}

/*** The system clock.
 * @function now
 * @treturn number seconds since the epoch, with fraction */
static int core_now(lua_State *L)
{
    lua_pushnumber(L, ahk_now());
    return 1;
}

/*** A clock that never steps back, for measuring spans.
 * @function monotonic
 * @treturn number seconds, with fraction */
static int core_monotonic(lua_State *L)
{
    lua_pushnumber(L, ahk_monotonic());
    return 1;
}

/*** Blocks the process. Not for nginx handlers: those have ngx.sleep.
 * @function sleep
 * @tparam number ms milliseconds */
static int core_sleep(lua_State *L)
{
    ahk_sleep_ms(luaL_checknumber(L, 1));
    return 0;
}

int luaopen_alipayhk_core(lua_State *L)
{
    static const luaL_Reg key_methods[] = {
        {"sign", key_sign}, {"verify", key_verify},           {"type", key_type},
        {"bits", key_bits}, {"fingerprint", key_fingerprint}, {"__tostring", key_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"private_key", core_private_key},
        {"public_key", core_public_key},
        {"seal", core_seal},
        {"open", core_open},
        {"base64_encode", core_base64_encode},
        {"base64_decode", core_base64_decode},
        {"hex_encode", core_hex_encode},
        {"percent_encode", core_percent_encode},
        {"percent_decode", core_percent_decode},
        {"parse_pairs", core_parse_pairs},
        {"utf8_length", core_utf8_length},
        {"is_plain", ahk_core_is_plain},
        {"random_bytes", core_random_bytes},
        {"now", core_now},
        {"monotonic", core_monotonic},
        {"sleep", core_sleep},
        {NULL, NULL},
    };
    ahk_error err;
    if (!ahk_check_libcrypto(&err)) {
        return luaL_error(L, "alipayhk.core: %s", err.text);
    }
    ahk_new_metatable(L, KEY, key_methods, key_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
