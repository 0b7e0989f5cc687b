/* The text forms around signatures and keys: strict base64, percent-encoding, `k=v,k=v` header
 * lists. Nothing here allocates: the caller brings the room that the *_SIZE macros name. */
#ifndef AHK_CODEC_H
#define AHK_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

/* The largest text or message that any function of the core takes. */
#define AHK_MESSAGE_MAX ((size_t)64 * 1024 * 1024)

/* Room for the base64 of n bytes and its NUL; n is at most AHK_MESSAGE_MAX. */
#define AHK_BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)
#define AHK_BASE64_DECODED_SIZE(n) ((n) / 4 * 3)

size_t ahk_base64_encode(ahk_slice in, char *out);

/* Standard alphabet, padding required, no white space, unused bits zero. `out` may be where `in` is. */
AHK_MUST_USE bool ahk_base64_decode(ahk_slice in, unsigned char *out, size_t *out_length, ahk_error *err);

/* Two lower-case digits a byte. */
#define AHK_HEX_SIZE(n) ((n)*2)
size_t ahk_hex_encode(ahk_slice in, char *out);

/* Everything but RFC 3986's unreserved characters becomes %XX, upper case. */
#define AHK_PERCENT_SIZE(n) ((n)*3)
size_t ahk_percent_encode(ahk_slice in, char *out);

/* The base64 of bytes, percent-encoded: what a header carries of a signature. */
#define AHK_BASE64_PERCENT_SIZE(n) (3 * AHK_BASE64_SIZE(n))
size_t ahk_base64_percent_encode(ahk_slice in, char *out);

/* Decodes %XX, either case; leaves `+` alone. Writes at most in.length bytes. */
AHK_MUST_USE bool ahk_percent_decode(ahk_slice in, char *out, size_t *out_length, ahk_error *err);

typedef enum { AHK_PAIR, AHK_PAIRS_END, AHK_PAIRS_MALFORMED } ahk_pairs_found;

/* Takes the next pair off the front of *rest; for a malformed list *err says what is wrong. Space around
 * keys and values is dropped. */
AHK_MUST_USE ahk_pairs_found ahk_pairs_next(ahk_slice *rest, ahk_slice *key, ahk_slice *value, ahk_error *err);

#endif
