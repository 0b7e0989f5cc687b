/* Keys, signatures and RSA_AES for Lua. */
#ifndef AHK_CORE_KEY_H
#define AHK_CORE_KEY_H

#include <lua.h>

#include "../crypto/codec.h"
#include "compat.h"

/* Makes the metatable of keys, and adds the functions that read and use keys to the table on top. */
void ahk_core_key_open(lua_State *L);

/* A string argument that is not larger than the core's cap. */
static inline ahk_slice ahk_check_text(lua_State *L, int index)
{
    const ahk_slice text = ahk_check_slice(L, index);
    luaL_argcheck(L, text.length <= AHK_MESSAGE_MAX, index, "longer than 64 MiB");
    return text;
}

#endif
