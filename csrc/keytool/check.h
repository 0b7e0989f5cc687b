/* Verifies what others signed in their own way, to find out which way that was: with digests and paddings that the
 * library itself does not accept. */
#ifndef AHK_KEYTOOL_CHECK_H
#define AHK_KEYTOOL_CHECK_H

#include "../crypto/key.h"

typedef enum {
    AHK_SCHEME_USUAL, /* PKCS#1 v1.5 of RSA, DER of ECDSA */
    AHK_SCHEME_OTHER, /* PSS of RSA, r and s side by side (IEEE P1363) of ECDSA */
    AHK_SCHEMES
} ahk_scheme;

/* `digest`: a name of OpenSSL's, such as "SHA1". False also where this OpenSSL does not have it, or memory is short. */
AHK_MUST_USE bool ahk_check(const ahk_key *key, ahk_slice message, ahk_slice signature, const char *digest,
                            ahk_scheme scheme);

#endif
