/* Makes a key of OpenSSL's from numbers, once they have been found to be those of a sound key. What would
 * take long with numbers out of proportion is not begun.
 *
 * OpenSSL's own readers of private keys leave copies of them in freed memory; here each passing copy is
 * cleansed. */
#ifndef AHK_KEY_MAKE_H
#define AHK_KEY_MAKE_H

#include <openssl/evp.h>

#include "../base/contract.h"
#include "key_der.h"

/* The caller frees the key. NULL and *err where the numbers are none of a key that is accepted. An EC key
 * names its curve and writes its point uncompressed, however it was read. */
AHK_MUST_USE EVP_PKEY *ahk_rsa_make(const ahk_key_numbers *numbers, ahk_error *err);
AHK_MUST_USE EVP_PKEY *ahk_ec_make(const ahk_key_numbers *numbers, ahk_error *err);

#endif
