/* Signatures: what is signed verifies; with one bit of the message or of the signature changed it does not. The two
 * forms of an ECDSA signature are one another's, and there is one text for each pair of numbers. */
#include <openssl/err.h>

#include "../../csrc/crypto/ecdsa_form.h"
#include "../../csrc/crypto/sign.h"
#include "../support/fuzz.h"
#include "../support/keys.h"

static void check_forms(ahk_slice input)
{
    unsigned char p1363[AHK_P1363_SIZE];
    unsigned char der[AHK_ECDSA_DER_MAX];
    const bool is_der = ahk_ecdsa_is_der(input);
    FUZZ_REQUIRE(ahk_ecdsa_to_p1363(input, p1363) == is_der);
    if (is_der) {
        const size_t length = ahk_ecdsa_to_der(fuzz_slice(p1363, sizeof p1363), der);
        FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(der, length), input));
    }
    const size_t length = ahk_ecdsa_to_der(input, der);
    FUZZ_REQUIRE((length > 0) == (input.length == AHK_P1363_SIZE));
    if (length > 0) {
        FUZZ_REQUIRE(ahk_ecdsa_to_p1363(fuzz_slice(der, length), p1363));
        FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(p1363, sizeof p1363), input));
    }
}

/* A copy with one bit changed. The caller frees it. */
static unsigned char *changed(ahk_slice s, size_t bit)
{
    unsigned char *copy = fuzz_room(s.length);
    memcpy(copy, s.data, s.length);
    copy[bit / 8 % s.length] ^= (unsigned char)(1U << bit % 8);
    return copy;
}

static void check_signed(ahk_key *key, ahk_slice message, ahk_sign_options options, size_t bit)
{
    ahk_signature out;
    ahk_error err = AHK_ERROR_INIT;
    FUZZ_REQUIRE(ahk_sign(key, message, options, &out, &err));
    const ahk_slice signature = fuzz_slice(out.bytes, out.length);
    unsigned char *other_signature = changed(signature, bit);
    unsigned char *other_message = message.length > 0 ? changed(message, bit) : NULL;
    FUZZ_REQUIRE(ahk_verify(key, message, signature, options, &err) == AHK_VALID);
    FUZZ_REQUIRE(ahk_verify(key, message, fuzz_slice(other_signature, out.length), options, &err) == AHK_INVALID);
    FUZZ_REQUIRE(other_message == NULL ||
                 ahk_verify(key, fuzz_slice(other_message, message.length), signature, options, &err) == AHK_INVALID);
    FUZZ_REQUIRE(ahk_verify(key, message, fuzz_slice(out.bytes, out.length - 1), options, &err) == AHK_INVALID);
    free(other_message);
    free(other_signature);
}

/* An input is nobody's signature. */
static void check_stranger(ahk_key *key, ahk_slice input, ahk_sign_options options)
{
    static const char text[] = "never signed";
    ahk_error err = AHK_ERROR_INIT;
    FUZZ_REQUIRE(ahk_verify(key, fuzz_slice(text, sizeof text), input, options, &err) == AHK_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ahk_key *keys[2];
    ahk_slice input = fuzz_slice(data, size);
    if (keys[0] == NULL) {
        keys[0] = fuzz_private_key("fuzz/keys/p224.der");
        keys[1] = fuzz_private_key("fuzz/keys/rsa.der");
    }
    check_forms(input);
    const uint8_t choice = fuzz_take(&input);
    const size_t bit = (size_t)fuzz_take(&input) << 8 | fuzz_take(&input);
    const ahk_sign_options options = {
        .digest = choice % 2 == 0 ? AHK_SHA224 : AHK_SHA256,
        .encoding = choice / 2 % 2 == 0 ? AHK_ECDSA_DER : AHK_ECDSA_P1363,
    };
    check_signed(keys[choice / 4 % 2], input, options, bit);
    check_stranger(keys[choice / 4 % 2], input, options);
    FUZZ_REQUIRE(ERR_peek_error() == 0);
    return 0;
}
