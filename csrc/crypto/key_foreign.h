/* Files that hold a key, or should, in a way that cannot be read here: what each one is, and the command
 * that converts it. Every function gives a message without a byte of the input, NULL for what it does not
 * know. */
#ifndef AHK_KEY_FOREIGN_H
#define AHK_KEY_FOREIGN_H

#include "../base/slice.h"
#include "key_form.h"

/* Whole texts without PEM: OpenSSH, PuTTY, JWK, HTML, hex, a path... */
const char *ahk_foreign_text(ahk_slice text, ahk_key_half wanted);

/* Whole files that are no text: UTF-16, keystores, PKCS#12... */
const char *ahk_foreign_bytes(ahk_slice bytes, ahk_key_half wanted);

/* The label of a PEM block. */
const char *ahk_foreign_label(ahk_slice label, ahk_key_half wanted);

#endif
