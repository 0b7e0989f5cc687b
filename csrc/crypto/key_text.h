/* Key text as people have it, to DER: whatever environment variables, YAML, JSON, consoles and editors do
 * to PEM and base64 is undone where it can mean only one thing, and named where it cannot.
 *
 * Read are DER; PEM; base64 of DER; base64 of any of these as text. Passed over in PEM and base64 are white
 * space, quotes, the escapes of JSON, a doubled BEGIN or END line, missing padding; the URL-safe alphabet is
 * as good as the standard one. */
#ifndef AHK_KEY_TEXT_H
#define AHK_KEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"
#include "key_form.h"

enum { AHK_KEY_BLOCKS_MAX = 16, AHK_KEY_HEADER_MAX = 128 };

typedef struct {
    ahk_key_form labelled;           /* what the PEM label says, AHK_FORM_UNKNOWN where there was none */
    char header[AHK_KEY_HEADER_MAX]; /* of RFC 1421, a line each; "" for none */
    unsigned char *der;              /* may be decrypted in place */
    size_t length;
} ahk_key_block;

typedef struct {
    ahk_key_half wanted;
    ahk_key_block blocks[AHK_KEY_BLOCKS_MAX];
    size_t count;
    unsigned char *bytes; /* what the blocks point into */
    size_t room;
} ahk_key_text;

/* On success there is at least one block: the labelled ones of the wanted half, or one without a label, which
 * may be anything. The input is not kept. Free the text in either case. */
AHK_MUST_USE bool ahk_key_text_read(ahk_key_text *text, ahk_key_half wanted, ahk_slice input, ahk_error *err);

/* Cleanses all that was read. */
void ahk_key_text_free(ahk_key_text *text);

#endif
