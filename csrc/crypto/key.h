/* A key: parsed once, then used for every signature. RSA of 2048 to 8192 bits, or EC on P-224.
 *
 * A key belongs to one thread at a time: signing uses a scratch context that it owns. */
#ifndef AHK_KEY_H
#define AHK_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"
#include "key_form.h"

#define AHK_RSA_BITS_MIN 2048
#define AHK_RSA_BITS_MAX 8192
#define AHK_KEY_INPUT_MAX ((size_t)64 * 1024)
#define AHK_FINGERPRINT_SIZE 65

typedef struct ahk_key ahk_key;

typedef enum { AHK_KEY_RSA, AHK_KEY_EC } ahk_key_type;

/* Reads PEM, DER or bare base64 of PKCS#8, PKCS#1, SEC1, SubjectPublicKeyInfo or an X.509
 * certificate. passphrase.data is NULL for none. NULL and *err on failure; the caller frees the
 * key. The input is not kept. */
AHK_MUST_USE ahk_key *ahk_key_read(ahk_key_half half, ahk_slice input, ahk_slice passphrase, ahk_error *err);

/* The same from a file, whose bytes are cleansed before this returns. */
AHK_MUST_USE ahk_key *ahk_key_read_file(ahk_key_half half, const char *path, ahk_slice passphrase, ahk_error *err);

/* A key of its own with the same content, for another thread. NULL and *err on failure; the caller frees it. */
AHK_MUST_USE ahk_key *ahk_key_copy(const ahk_key *key, ahk_error *err);

/* NULL is fine. */
void ahk_key_free(ahk_key *key);

ahk_key_type ahk_key_get_type(const ahk_key *key);
ahk_key_half ahk_key_get_half(const ahk_key *key);
int ahk_key_get_bits(const ahk_key *key);

/* SHA-256 of the SubjectPublicKeyInfo in hex: the same for both halves of a pair. */
const char *ahk_key_get_fingerprint(const ahk_key *key);

#endif
