/* RSASSA-PKCS1-v1_5 and ECDSA over SHA-224 or SHA-256. */
#ifndef AHK_SIGN_H
#define AHK_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"
#include "key.h"

typedef enum { AHK_SHA224, AHK_SHA256, AHK_DIGESTS } ahk_digest;

/* How an ECDSA signature is written: DER, or r and s side by side at full length (IEEE P1363). */
typedef enum { AHK_ECDSA_DER, AHK_ECDSA_P1363 } ahk_ecdsa_encoding;

typedef struct {
    ahk_digest digest;
    ahk_ecdsa_encoding encoding; /* of no meaning to RSA */
} ahk_sign_options;

#define AHK_SIGNATURE_MAX (AHK_RSA_BITS_MAX / 8)

/* SHA-256 for RSA, SHA-224 for EC, DER. */
ahk_sign_options ahk_sign_defaults(const ahk_key *key);

typedef struct {
    unsigned char bytes[AHK_SIGNATURE_MAX];
    size_t length; /* 0 where signing failed */
} ahk_signature;

/* The digest is one of the two, no AHK_DIGESTS. */
AHK_MUST_USE bool ahk_sign(ahk_key *key, ahk_slice message, ahk_sign_options options, ahk_signature *out,
                           ahk_error *err);

typedef enum {
    AHK_INVALID, /* the signature is another one's, or none at all */
    AHK_VALID,
    AHK_NOT_VERIFIED /* that could not be found out (memory is short): see *err */
} ahk_verdict;

AHK_MUST_USE ahk_verdict ahk_verify(ahk_key *key, ahk_slice message, ahk_slice signature, ahk_sign_options options,
                                    ahk_error *err);

#endif
