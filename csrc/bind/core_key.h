/* Keys, signatures and RSA_AES for Lua. */
#ifndef AHK_CORE_KEY_H
#define AHK_CORE_KEY_H

#include <lua.h>

#include "../crypto/codec.h"
#include "../crypto/sign.h"
#include "compat.h"

/* Makes the metatable of keys, and adds the functions that read and use keys to the table on top. */
void ahk_core_key_open(lua_State *L);

/* The key at that index; throws where it is none, or closed. Any allocation of Lua's may close it: see core_key.c. */
ahk_key *ahk_core_check_key(lua_State *L, int index);

/* A table of options for signatures, or none, as it was given: `digest` is AHK_DIGESTS where the key's type decides. */
ahk_sign_options ahk_core_check_sign_options(lua_State *L, int index);
ahk_sign_options ahk_core_complete_options(ahk_sign_options options, const ahk_key *key);

/* Push what came of signing and verifying, as key:sign and key:verify give it; give the number of results. */
int ahk_core_push_signature(lua_State *L, bool is_signed, const ahk_signature *signature, const ahk_error *err);
int ahk_core_push_verdict(lua_State *L, ahk_verdict verdict, const ahk_error *err);

/* A string argument that is not larger than the core's cap. */
static inline ahk_slice ahk_check_text(lua_State *L, int index)
{
    const ahk_slice text = ahk_check_slice(L, index);
    luaL_argcheck(L, text.length <= AHK_MESSAGE_MAX, index, "longer than 64 MiB");
    return text;
}

#endif
