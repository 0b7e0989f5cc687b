/* Makes a new key. */
#ifndef AHK_KEYTOOL_GENERATE_H
#define AHK_KEYTOOL_GENERATE_H

#include "../crypto/key.h"

/* The largest takes a few seconds; AlipayHK uses AHK_RSA_BITS_MIN. */
#define AHK_GENERATED_BITS_MAX 4096

/* RSA of `bits`, AHK_RSA_BITS_MIN to AHK_GENERATED_BITS_MAX, or EC on P-224, whatever `bits` is. It has been read and
 * checked as one of a file is. NULL and *err on failure; the caller frees it. */
AHK_MUST_USE ahk_key *ahk_generate(ahk_key_type type, int bits, ahk_error *err);

#endif
