/* Key texts and DER. A key that is read is of a size that is allowed, and is the same key when it is written in any
 * form and read again; what a private one signs, its public half verifies. What is no key has a message of one line.
 * The error queue of OpenSSL is empty after each call. */
#include <openssl/err.h>

#include "../../csrc/crypto/key.h"
#include "../../csrc/crypto/sign.h"
#include "../../csrc/keytool/encode.h"
#include "../support/fuzz.h"

static const char PASSPHRASE[] = "fuzz";

static void check_message(const ahk_error *err)
{
    FUZZ_REQUIRE(err->text[0] != '\0' && strcmp(err->text, "no reason given") != 0);
    for (const char *c = err->text; *c != '\0'; c++) {
        FUZZ_REQUIRE((unsigned char)*c >= ' ' && *c != 0x7F);
    }
}

static ahk_key *read_again(const ahk_key *key, ahk_encoding encoding, ahk_slice text)
{
    ahk_error err = AHK_ERROR_INIT;
    const ahk_key_half half = ahk_encoding_is_private(key, encoding) ? AHK_HALF_PRIVATE : AHK_HALF_PUBLIC;
    ahk_key *again = ahk_key_read(half, text, fuzz_slice(NULL, 0), &err);
    FUZZ_REQUIRE(again != NULL);
    FUZZ_REQUIRE(strcmp(ahk_key_get_fingerprint(key), ahk_key_get_fingerprint(again)) == 0);
    FUZZ_REQUIRE(ahk_key_get_type(key) == ahk_key_get_type(again));
    return again;
}

static void check_pair(ahk_key *private_key, ahk_key *public_key)
{
    static const char text[] = "signed";
    ahk_signature signature;
    ahk_error err = AHK_ERROR_INIT;
    const ahk_slice message = fuzz_slice(text, sizeof text);
    const ahk_sign_options options = ahk_sign_defaults(private_key);
    FUZZ_REQUIRE(ahk_sign(private_key, message, options, &signature, &err));
    FUZZ_REQUIRE(ahk_verify(public_key, message, fuzz_slice(signature.bytes, signature.length), options, &err) ==
                 AHK_VALID);
}

static void check_forms(ahk_key *key)
{
    for (ahk_encoding encoding = 0; encoding < AHK_ENCODINGS; encoding++) {
        ahk_encoded encoded;
        ahk_error err = AHK_ERROR_INIT;
        if (!ahk_encode(key, encoding, &encoded, &err)) {
            check_message(&err); /* not every form is for every key */
            continue;
        }
        ahk_key *again = read_again(key, encoding, fuzz_slice(encoded.data, encoded.length));
        if (ahk_key_get_half(key) == AHK_HALF_PRIVATE) {
            check_pair(key, again);
        }
        ahk_key_free(again);
        ahk_encoded_free(&encoded);
    }
}

static void check_read(ahk_key_half half, ahk_slice input, ahk_slice passphrase)
{
    ahk_error err = AHK_ERROR_INIT;
    ahk_key *key = ahk_key_read(half, input, passphrase, &err);
    FUZZ_REQUIRE(ERR_peek_error() == 0);
    if (key == NULL) {
        check_message(&err);
        return;
    }
    const int bits = ahk_key_get_bits(key);
    FUZZ_REQUIRE(ahk_key_get_half(key) == half);
    FUZZ_REQUIRE(ahk_key_get_type(key) == AHK_KEY_EC ? bits == 224
                                                     : bits >= AHK_RSA_BITS_MIN && bits <= AHK_RSA_BITS_MAX);
    check_forms(key);
    FUZZ_REQUIRE(ERR_peek_error() == 0);
    ahk_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ahk_slice input = fuzz_slice(data, size);
    check_read(AHK_HALF_PUBLIC, input, fuzz_slice(NULL, 0));
    check_read(AHK_HALF_PRIVATE, input, fuzz_slice(PASSPHRASE, sizeof PASSPHRASE - 1));
    return 0;
}
