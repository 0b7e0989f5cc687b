/* The base64 inside key texts: read more generously than that of messages (see codec.h), and in place, so
 * that no second copy of a key comes to be. */
#ifndef AHK_KEY_BASE64_H
#define AHK_KEY_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"

/* Behind the characters has to be room for so many more. */
#define AHK_KEY_BASE64_ROOM 2

/* Undoes the escapes of JSON and of source code, in place; gives the new length. */
AHK_MUST_USE size_t ahk_key_unescape(unsigned char *text, size_t length);

/* White space or a quote, which mean nothing within base64. */
bool ahk_key_is_filler(unsigned char c);

/* Decodes in place. `position` is that of the first character in its text, for messages. */
AHK_MUST_USE bool ahk_key_base64_decode(unsigned char *text, size_t length, size_t position, size_t *out_length,
                                        ahk_error *err);

#endif
