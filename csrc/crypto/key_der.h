/* Takes the DER of a key apart into its numbers. That they make a usable key is for key_rsa and key_ec to
 * say; nothing is copied, so nothing is left behind. */
#ifndef AHK_KEY_DER_H
#define AHK_KEY_DER_H

#include <stdbool.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"
#include "key.h"
#include "key_form.h"

/* In the order of PKCS#1; a public key has the first two. */
typedef enum {
    AHK_RSA_N,
    AHK_RSA_E,
    AHK_RSA_D,
    AHK_RSA_P,
    AHK_RSA_Q,
    AHK_RSA_DP,
    AHK_RSA_DQ,
    AHK_RSA_QINV,
    AHK_RSA_NUMBERS
} ahk_rsa_number;

/* Slices of the DER. RSA's numbers are big-endian without leading zeros. A public EC key has a point, a
 * private one a scalar and perhaps a point (data is NULL for none); the curve is P-224. */
typedef struct {
    ahk_key_type type;
    ahk_key_half half;
    ahk_slice rsa[AHK_RSA_NUMBERS];
    ahk_slice scalar;
    ahk_slice point;
} ahk_key_numbers;

/* Any form but an encrypted one. */
AHK_MUST_USE bool ahk_key_der_read(ahk_key_form form, ahk_slice der, ahk_key_numbers *out, ahk_error *err);

/* Whether, by its names, the certificate `subject` was issued under `issuer`; under itself does not count. */
bool ahk_key_der_issued(ahk_slice issuer, ahk_slice subject);

#endif
