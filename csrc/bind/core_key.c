/* The part of alipayhk.core that has to do with keys: reading them, signatures, RSA_AES.
 *
 * Whatever C holds while Lua may raise lives in a userdata that was pushed before. Any allocation of Lua's may
 * run a finalizer, and that may close a key: check_key comes last, and from there to the last look at the key
 * nothing of Lua's is called. */
#include "core_key.h"

#include <string.h>

#include "../crypto/envelope.h"
#include "../crypto/file.h"
#include "../crypto/key.h"
#include "../crypto/sign.h"
#include "compat.h"

#define KEY "alipayhk.key"

/* ---- arguments -------------------------------------------------------------------------------- */

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

ahk_key *ahk_core_check_key(lua_State *L, int index)
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
    if (ahk_key_get_half(ahk_core_check_key(L, 1)) != half) {
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
    key_handle *handle = ahk_new_handle(L, sizeof *handle, KEY);
    ahk_error err = AHK_ERROR_INIT;
    handle->key = file.data != NULL ? ahk_key_read_file(half, (const char *)file.data, passphrase, &err)
                                    : ahk_key_read(half, data, passphrase, &err);
    return handle->key != NULL ? 1 : ahk_push_failure(L, err.text);
}

/* private_key(source): reads a private key. */
static int core_private_key(lua_State *L)
{
    return read_key(L, AHK_HALF_PRIVATE);
}

/* public_key(source): reads a public key: PKCS#1, SubjectPublicKeyInfo, or out of an X.509 certificate. */
static int core_public_key(lua_State *L)
{
    return read_key(L, AHK_HALF_PUBLIC);
}

/* pem_file(path, label): looks into a file that TLS is to be given: a regular one, with PEM of that label in it. */
static int core_pem_file(lua_State *L)
{
    static const char *const labels[] = {"CERTIFICATE", "PRIVATE KEY", NULL};
    const ahk_slice path = ahk_check_slice(L, 1);
    const char *label = labels[luaL_checkoption(L, 2, NULL, labels)];
    luaL_argcheck(L, !ahk_slice_has(path, '\0'), 1, "the file name has a NUL byte");
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_pem_file((const char *)path.data, label, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushboolean(L, 1);
    return 1;
}

ahk_sign_options ahk_core_check_sign_options(lua_State *L, int index)
{
    static const char *const digests[] = {[AHK_SHA224] = "sha224", [AHK_SHA256] = "sha256", NULL};
    static const char *const encodings[] = {[AHK_ECDSA_DER] = "der", [AHK_ECDSA_P1363] = "p1363", NULL};
    ahk_sign_options options;
    check_options(L, index);
    options.digest = (ahk_digest)check_choice(L, index, "digest", digests, AHK_DIGESTS);
    options.encoding = (ahk_ecdsa_encoding)check_choice(L, index, "encoding", encodings, AHK_ECDSA_DER);
    return options;
}

ahk_sign_options ahk_core_complete_options(ahk_sign_options options, const ahk_key *key)
{
    if (options.digest == AHK_DIGESTS) {
        options.digest = ahk_sign_defaults(key).digest;
    }
    return options;
}

int ahk_core_push_signature(lua_State *L, bool is_signed, const ahk_signature *signature, const ahk_error *err)
{
    if (!is_signed) {
        return ahk_push_failure(L, err->text);
    }
    lua_pushlstring(L, (const char *)signature->bytes, signature->length);
    return 1;
}

int ahk_core_push_verdict(lua_State *L, ahk_verdict verdict, const ahk_error *err)
{
    if (verdict == AHK_NOT_VERIFIED) {
        return ahk_push_failure(L, err->text);
    }
    lua_pushboolean(L, verdict == AHK_VALID);
    return 1;
}

/* key:sign(message, [opts]): the raw signature, or nil and a message. */
static int key_sign(lua_State *L)
{
    const ahk_slice message = ahk_check_text(L, 2);
    const ahk_sign_options options = ahk_core_check_sign_options(L, 3);
    ahk_key *key = ahk_core_check_key(L, 1);
    ahk_signature signature;
    ahk_error err = AHK_ERROR_INIT;
    const bool is_signed = ahk_sign(key, message, ahk_core_complete_options(options, key), &signature, &err);
    return ahk_core_push_signature(L, is_signed, &signature, &err);
}

/* key:verify(message, signature, [opts]): true or false; nil and a message where that could not be found out. A private
 * key verifies with its public half. */
static int key_verify(lua_State *L)
{
    const ahk_slice message = ahk_check_text(L, 2);
    const ahk_slice signature = ahk_check_text(L, 3);
    const ahk_sign_options options = ahk_core_check_sign_options(L, 4);
    ahk_key *key = ahk_core_check_key(L, 1);
    ahk_error err = AHK_ERROR_INIT;
    const ahk_verdict verdict = ahk_verify(key, message, signature, ahk_core_complete_options(options, key), &err);
    return ahk_core_push_verdict(L, verdict, &err);
}

static const char *type_name(const ahk_key *key)
{
    return ahk_key_get_type(key) == AHK_KEY_RSA ? "RSA" : "EC";
}

static int key_type(lua_State *L)
{
    lua_pushstring(L, type_name(ahk_core_check_key(L, 1)));
    return 1;
}

static int key_bits(lua_State *L)
{
    lua_pushinteger(L, ahk_key_get_bits(ahk_core_check_key(L, 1)));
    return 1;
}

static int key_fingerprint(lua_State *L)
{
    char fingerprint[AHK_FINGERPRINT_SIZE]; /* LuaJIT collects, and runs finalizers, before it copies */
    memcpy(fingerprint, ahk_key_get_fingerprint(ahk_core_check_key(L, 1)), sizeof fingerprint);
    lua_pushstring(L, fingerprint);
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

/* seal(plaintext, public_key, [opts]): encrypts a body under a fresh AES key, and that key for its receiver. */
static int core_seal(lua_State *L)
{
    const ahk_slice plaintext = ahk_check_text(L, 1);
    const ahk_key_padding padding = check_padding(L, 3);
    const ahk_seal_options options = {padding, check_key_bits(L, 3)};
    ahk_sealed sealed;
    sealed.body = lua_newuserdata(L, AHK_SEALED_BODY_SIZE(plaintext.length));
    const ahk_key *key = ahk_core_check_key(L, 2);
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_seal(key, plaintext, options, &sealed, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, sealed.body, sealed.body_length);
    lua_pushlstring(L, sealed.wrapped_key, sealed.wrapped_key_length);
    return 2;
}

/* open(body, wrapped_key, private_key, [opts]): the plaintext of what `seal` made; or nil and "decryption failed",
 * whatever the cause. Verify the signature first: ECB protects nothing. */
static int core_open(lua_State *L)
{
    const ahk_envelope envelope = {ahk_check_text(L, 1), ahk_check_text(L, 2)};
    const ahk_key_padding padding = check_padding(L, 4);
    ahk_plaintext plaintext = {lua_newuserdata(L, AHK_OPENED_SIZE(envelope.body.length)), 0};
    const ahk_key *key = ahk_core_check_key(L, 3);
    if (!ahk_open(key, envelope, padding, &plaintext)) {
        return ahk_push_failure(L, "decryption failed");
    }
    lua_pushlstring(L, (const char *)plaintext.data, plaintext.length);
    return 1;
}

void ahk_core_key_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"sign", key_sign}, {"verify", key_verify},           {"type", key_type},
        {"bits", key_bits}, {"fingerprint", key_fingerprint}, {"__tostring", key_tostring},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {
        {"private_key", core_private_key},
        {"public_key", core_public_key},
        {"pem_file", core_pem_file},
        {"seal", core_seal},
        {"open", core_open},
        {NULL, NULL},
    };
    ahk_new_metatable(L, KEY, methods, key_close);
    ahk_set_functions(L, functions);
}
