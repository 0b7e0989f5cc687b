/* RSA_AES: a body under a fresh AES key (ECB, PKCS#7 padding), that key under RSA.
 *
 * ECB proves nothing about who wrote the body: open only what has been verified. */
#ifndef AHK_ENVELOPE_H
#define AHK_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"
#include "codec.h"
#include "key.h"

typedef enum { AHK_KEY_PADDING_PKCS1, AHK_KEY_PADDING_OAEP } ahk_key_padding;

/* Room for the base64 body of n bytes (n + 16: a whole block of padding at most), for the base64 of
 * a wrapped key, and for what n bytes of base64 can open to. */
#define AHK_SEALED_BODY_SIZE(n) AHK_BASE64_SIZE((n) + 16)
#define AHK_WRAPPED_KEY_SIZE AHK_BASE64_SIZE(AHK_RSA_BITS_MAX / 8)
#define AHK_OPENED_SIZE(n) (AHK_BASE64_DECODED_SIZE(n) + 32)

typedef struct {
    ahk_key_padding padding;
    int key_bits; /* 128, 192 or 256 */
} ahk_seal_options;

typedef struct {
    char *body; /* the caller brings AHK_SEALED_BODY_SIZE(plaintext.length) bytes */
    size_t body_length;
    char wrapped_key[AHK_WRAPPED_KEY_SIZE];
    size_t wrapped_key_length;
} ahk_sealed;

/* The public key is the receiver's. */
AHK_MUST_USE bool ahk_seal(const ahk_key *key, ahk_slice plaintext, ahk_seal_options options, ahk_sealed *sealed,
                           ahk_error *err);

/* What is to be opened: two texts in base64. White space in either is passed over. */
typedef struct {
    ahk_slice body;
    ahk_slice wrapped_key;
} ahk_envelope;

typedef struct {
    unsigned char *data; /* the caller brings AHK_OPENED_SIZE(body.length) bytes */
    size_t length;
} ahk_plaintext;

/* False says no more than that: which step failed is nobody's business (a padding oracle). What was written to
 * out->data is cleansed then. */
AHK_MUST_USE bool ahk_open(const ahk_key *key, ahk_envelope in, ahk_key_padding padding, ahk_plaintext *out);

#endif
