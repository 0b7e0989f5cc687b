/* alipayhk.keytool: keys for the command's sake: made, described, converted, written to files. No byte of a private key
 * becomes a Lua string. Arguments of the wrong type throw; what fails at run time gives nil and a message.
 *
 * As in core_key.c: what C holds while Lua may raise is owned by a userdata that was pushed before, and since any
 * allocation of Lua's may close a handle, the look at it comes last. */
#include <lua.h>
#include <unistd.h>

#include "../crypto/codec.h"
#include "../crypto/library.h"
#include "../keytool/check.h"
#include "../keytool/describe.h"
#include "../keytool/encode.h"
#include "../keytool/generate.h"
#include "../keytool/new_file.h"
#include "../keytool/passphrase.h"
#include "compat.h"

AHK_EXPORT int luaopen_alipayhk_keytool(lua_State *L);

#define KEY "alipayhk.keytool.key"
#define PASSPHRASE "alipayhk.keytool.passphrase"
#define ENCODED "alipayhk.keytool.encoded"

/* ---- handles ------------------------------------------------------------------------------------ */

typedef struct {
    ahk_key *key; /* NULL once closed */
} key_handle;

typedef struct {
    ahk_passphrase passphrase;
    bool is_closed;
} passphrase_handle;

static const ahk_key *check_key(lua_State *L, int index)
{
    const key_handle *handle = luaL_checkudata(L, index, KEY);
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

static int passphrase_close(lua_State *L)
{
    passphrase_handle *handle = luaL_checkudata(L, 1, PASSPHRASE);
    ahk_passphrase_cleanse(&handle->passphrase);
    handle->is_closed = true;
    return 0;
}

static int encoded_close(lua_State *L)
{
    ahk_encoded_free(luaL_checkudata(L, 1, ENCODED));
    return 0;
}

static const char *half_name(const ahk_key *key)
{
    return ahk_key_get_half(key) == AHK_HALF_PRIVATE ? "private" : "public";
}

static const char *type_name(const ahk_key *key)
{
    return ahk_key_get_type(key) == AHK_KEY_RSA ? "RSA" : "EC";
}

static int key_tostring(lua_State *L)
{
    const key_handle *handle = luaL_checkudata(L, 1, KEY);
    lua_pushfstring(L, KEY " (%s)", handle->key == NULL ? "closed" : half_name(handle->key));
    return 1;
}

static int passphrase_tostring(lua_State *L)
{
    const passphrase_handle *handle = luaL_checkudata(L, 1, PASSPHRASE);
    lua_pushfstring(L, PASSPHRASE " (%s)", handle->is_closed ? "closed" : "open");
    return 1;
}

static int push_done(lua_State *L, bool done, const ahk_error *err)
{
    if (!done) {
        return ahk_push_failure(L, err->text);
    }
    lua_pushboolean(L, 1);
    return 1;
}

static const char *check_path(lua_State *L, int index)
{
    const ahk_slice path = ahk_check_slice(L, index);
    luaL_argcheck(L, !ahk_slice_has(path, '\0'), index, "the file name has a NUL byte");
    return (const char *)path.data;
}

/* ---- passphrases -------------------------------------------------------------------------------- */

/* ask_passphrase(prompt): asks at the terminal, without an echo; nil and a message, "interrupted" for Ctrl-C. */
static int keytool_ask_passphrase(lua_State *L)
{
    const char *prompt = luaL_checkstring(L, 1);
    passphrase_handle *handle = ahk_new_handle(L, sizeof *handle, PASSPHRASE);
    ahk_error err = AHK_ERROR_INIT;
    const ahk_asked asked = ahk_passphrase_ask(&handle->passphrase, prompt, &err);
    return asked == AHK_ASKED ? 1 : ahk_push_failure(L, asked == AHK_ASKED_INTERRUPTED ? "interrupted" : err.text);
}

/* read_passphrase(path): the first line of a file. */
static int keytool_read_passphrase(lua_State *L)
{
    const char *path = check_path(L, 1);
    passphrase_handle *handle = ahk_new_handle(L, sizeof *handle, PASSPHRASE);
    ahk_error err = AHK_ERROR_INIT;
    return ahk_passphrase_read(&handle->passphrase, path, &err) ? 1 : ahk_push_failure(L, err.text);
}

/* source.passphrase: one of the above, or a string, which stays on the stack; data is NULL for none. */
static ahk_slice check_passphrase(lua_State *L, int source)
{
    ahk_get_field(L, source, "passphrase");
    if (lua_isnil(L, -1)) {
        return (ahk_slice){NULL, 0};
    }
    const passphrase_handle *handle = ahk_test_userdata(L, -1, PASSPHRASE);
    if (handle != NULL) {
        luaL_argcheck(L, !handle->is_closed, source, "the passphrase is closed");
        return ahk_passphrase_slice(&handle->passphrase);
    }
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, source, "a passphrase is a string, or of this module");
    return ahk_check_slice(L, lua_gettop(L));
}

/* ---- reading ------------------------------------------------------------------------------------ */

static void push_description(lua_State *L, const ahk_description *found)
{
    static const char *const wrappings[] = {
        [AHK_WRAPPED_PEM] = "PEM", [AHK_WRAPPED_DER] = "DER", [AHK_WRAPPED_BASE64] = "base64"};
    lua_createtable(L, 0, 4);
    lua_pushstring(L, ahk_describe_form(found->form));
    lua_setfield(L, -2, "form");
    lua_pushstring(L, wrappings[found->wrapping]);
    lua_setfield(L, -2, "wrapping");
    lua_pushboolean(L, found->is_encrypted);
    lua_setfield(L, -2, "is_encrypted");
    if (found->has_expiry) {
        lua_pushnumber(L, (lua_Number)found->expires);
        lua_setfield(L, -2, "expires");
    }
}

/* source.<name>, a string that stays on the stack; data is NULL where it is absent. */
static ahk_slice check_field(lua_State *L, int source, const char *name)
{
    ahk_get_field(L, source, name);
    if (lua_isnil(L, -1)) {
        return (ahk_slice){NULL, 0};
    }
    luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, source, "file and data of a key are strings");
    return ahk_check_slice(L, lua_gettop(L));
}

/* read { file | data, passphrase }: a key of either half, and what is known of its text: `{ form, wrapping,
 * is_encrypted, expires }`; or nil, a message, and whether a passphrase is all that is missing. */
static int keytool_read(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    key_handle *handle = ahk_new_handle(L, sizeof *handle, KEY);
    const ahk_slice file = check_field(L, 1, "file");
    const ahk_slice data = check_field(L, 1, "data");
    luaL_argcheck(L, (file.data != NULL) != (data.data != NULL), 1, "a key has either `file` or `data`");
    luaL_argcheck(L, !ahk_slice_has(file, '\0'), 1, "the file name has a NUL byte");
    const ahk_slice passphrase = check_passphrase(L, 1);
    ahk_description found;
    ahk_error err = AHK_ERROR_INIT;
    const bool done = file.data != NULL ? ahk_describe_file((const char *)file.data, passphrase, &found, &err)
                                        : ahk_describe(data, passphrase, &found, &err);
    if (!done) {
        (void)ahk_push_failure(L, err.text);
        lua_pushboolean(L, found.is_encrypted && passphrase.data == NULL);
        return 3;
    }
    handle->key = found.key;
    lua_pushvalue(L, 2);
    push_description(L, &found);
    return 2;
}

/* generate(type, [bits]): a new pair, "RSA" or "EC". */
static int keytool_generate(lua_State *L)
{
    static const char *const types[] = {[AHK_KEY_RSA] = "RSA", [AHK_KEY_EC] = "EC", NULL};
    const ahk_key_type type = (ahk_key_type)luaL_checkoption(L, 1, NULL, types);
    const lua_Integer bits = luaL_optinteger(L, 2, AHK_RSA_BITS_MIN);
    luaL_argcheck(L, bits >= AHK_RSA_BITS_MIN && bits <= AHK_GENERATED_BITS_MAX, 2, "2048 to 4096 bits");
    key_handle *handle = ahk_new_handle(L, sizeof *handle, KEY);
    ahk_error err = AHK_ERROR_INIT;
    handle->key = ahk_generate(type, (int)bits, &err);
    return handle->key != NULL ? 1 : ahk_push_failure(L, err.text);
}

/* key:facts(): `{ half, type, bits, fingerprint }`. */
static int key_facts(lua_State *L)
{
    lua_createtable(L, 0, 4);
    const ahk_key *key = check_key(L, 1);
    const char *half = half_name(key);
    const char *type = type_name(key);
    const int bits = ahk_key_get_bits(key);
    char fingerprint[AHK_FINGERPRINT_SIZE]; /* what follows may close the key */
    memcpy(fingerprint, ahk_key_get_fingerprint(key), sizeof fingerprint);
    lua_pushstring(L, half);
    lua_setfield(L, -2, "half");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, bits);
    lua_setfield(L, -2, "bits");
    lua_pushstring(L, fingerprint);
    lua_setfield(L, -2, "fingerprint");
    return 1;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static ahk_encoding check_encoding(lua_State *L, int index)
{
    static const char *const names[] = {
        [AHK_ENCODE_PKCS8] = "pkcs8", [AHK_ENCODE_PKCS1] = "pkcs1",   [AHK_ENCODE_SPKI] = "spki",
        [AHK_ENCODE_DER] = "der",     [AHK_ENCODE_BASE64] = "base64", NULL,
    };
    return (ahk_encoding)luaL_checkoption(L, index, NULL, names);
}

/* key:is_private(form): whether what is written in a form holds the private half. */
static int key_is_private(lua_State *L)
{
    const ahk_encoding encoding = check_encoding(L, 2);
    lua_pushboolean(L, ahk_encoding_is_private(check_key(L, 1), encoding));
    return 1;
}

/* key:text(form): a public form as a string. */
static int key_text(lua_State *L)
{
    const ahk_encoding encoding = check_encoding(L, 2);
    ahk_encoded *encoded = ahk_new_handle(L, sizeof *encoded, ENCODED);
    const ahk_key *key = check_key(L, 1);
    luaL_argcheck(L, !ahk_encoding_is_private(key, encoding), 2, "no private key becomes a string");
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_encode(key, encoding, encoded, &err)) {
        return ahk_push_failure(L, err.text);
    }
    lua_pushlstring(L, (const char *)encoded->data, encoded->length);
    return 1;
}

/* key:save(form, path): makes a file of it; one with the private half is its owner's alone. */
static int key_save(lua_State *L)
{
    const ahk_encoding encoding = check_encoding(L, 2);
    const char *path = check_path(L, 3);
    const ahk_key *key = check_key(L, 1);
    ahk_encoded encoded = {NULL, 0, 0};
    ahk_error err = AHK_ERROR_INIT;
    const mode_t mode = ahk_encoding_is_private(key, encoding) ? AHK_MODE_PRIVATE : AHK_MODE_PUBLIC;
    const bool done = ahk_encode(key, encoding, &encoded, &err) &&
                      ahk_new_file(path, mode, (ahk_slice){encoded.data, encoded.length}, &err);
    ahk_encoded_free(&encoded);
    return push_done(L, done, &err);
}

/* key:print(form): writes it to standard output. */
static int key_print(lua_State *L)
{
    const ahk_encoding encoding = check_encoding(L, 2);
    const ahk_key *key = check_key(L, 1);
    ahk_encoded encoded = {NULL, 0, 0};
    ahk_error err = AHK_ERROR_INIT;
    const bool done = ahk_encode(key, encoding, &encoded, &err) &&
                      ahk_write_all(STDOUT_FILENO, (ahk_slice){encoded.data, encoded.length}, &err);
    ahk_encoded_free(&encoded);
    return push_done(L, done, &err);
}

/* ---- verifying ---------------------------------------------------------------------------------- */

/* key:verifies(message, signature, digest, scheme): whether a signature is of that digest, a name of OpenSSL's, and
 * that scheme: "usual" or "other" (PSS, P1363). */
static int key_verifies(lua_State *L)
{
    static const char *const schemes[] = {[AHK_SCHEME_USUAL] = "usual", [AHK_SCHEME_OTHER] = "other", NULL};
    const ahk_slice message = ahk_check_slice(L, 2);
    const ahk_slice signature = ahk_check_slice(L, 3);
    const char *digest = luaL_checkstring(L, 4);
    const ahk_scheme scheme = (ahk_scheme)luaL_checkoption(L, 5, NULL, schemes);
    luaL_argcheck(L, message.length <= AHK_MESSAGE_MAX, 2, "longer than 64 MiB");
    lua_pushboolean(L, ahk_check(check_key(L, 1), message, signature, digest, scheme));
    return 1;
}

int luaopen_alipayhk_keytool(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"facts", key_facts}, {"is_private", key_is_private}, {"text", key_text},           {"save", key_save},
        {"print", key_print}, {"verifies", key_verifies},     {"__tostring", key_tostring}, {NULL, NULL},
    };
    static const luaL_Reg passphrase_methods[] = {{"__tostring", passphrase_tostring}, {NULL, NULL}};
    static const luaL_Reg no_methods[] = {{NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"generate", keytool_generate},
        {"read", keytool_read},
        {"ask_passphrase", keytool_ask_passphrase},
        {"read_passphrase", keytool_read_passphrase},
        {NULL, NULL},
    };
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_check_libcrypto(&err)) {
        return luaL_error(L, "alipayhk.keytool: %s", err.text);
    }
    ahk_new_metatable(L, ENCODED, no_methods, encoded_close);
    ahk_new_metatable(L, PASSPHRASE, passphrase_methods, passphrase_close);
    ahk_new_metatable(L, KEY, methods, key_close);
    lua_newtable(L);
    ahk_set_functions(L, functions);
    return 1;
}
