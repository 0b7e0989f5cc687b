/* Undoes the two ways in which key files are encrypted. */
#ifndef AHK_KEY_DECRYPT_H
#define AHK_KEY_DECRYPT_H

#include <stdbool.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

/* What a key may ask for before it can be read: a few seconds, not the 19 minutes that some ask for. */
#define AHK_PBKDF2_ROUNDS_MAX 10000000L
#define AHK_SCRYPT_COST_MAX (8L * 1024 * 1024) /* N * r * p */

#define AHK_CANNOT_DECRYPT "cannot decrypt the key (wrong passphrase, or a cipher that this OpenSSL lacks)"

/* Says so, and what may be wrong with the passphrase, nothing of which is shown. Returns false. */
bool ahk_fail_to_decrypt(ahk_slice passphrase, ahk_error *err);

/* An encrypted PKCS#8 key (see ahk_key_form) to a plain one, in *out, which the caller frees with
 * OPENSSL_clear_free. passphrase.data is NULL for none. A wrong passphrase may give any bytes. */
AHK_MUST_USE bool ahk_decrypt_pkcs8(ahk_slice der, ahk_slice passphrase, unsigned char **out, size_t *out_length,
                                    ahk_error *err);

/* RFC 1421, of older PEM files: `header` holds "Proc-Type" and "DEK-Info" on lines of their own. In place.
 * A wrong passphrase may give any bytes. */
AHK_MUST_USE bool ahk_decrypt_pem(const char *header, unsigned char *bytes, size_t *length, ahk_slice passphrase,
                                  ahk_error *err);

#endif
