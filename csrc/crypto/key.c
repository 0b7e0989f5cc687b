#include "key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "codec.h"
#include "file.h"
#include "key_decrypt.h"
#include "key_make.h"
#include "key_private.h"
#include "key_text.h"
#include "openssl_error.h"

static const ahk_key_form_info *describe(ahk_key_form form)
{
    return ahk_key_form_describe(form);
}

/* ---- what a block holds ------------------------------------------------------------------------- */

static const char *half_name(ahk_key_half half)
{
    return half == AHK_HALF_PRIVATE ? "private" : "public";
}

static bool fail_mislabelled(ahk_key_form labelled, ahk_key_form found, ahk_error *err)
{
    const ahk_key_half half = describe(found)->half;
    const char *label = describe(labelled)->label;
    const char *right = describe(found)->label;
    if (found == AHK_FORM_TRUNCATED) {
        return ahk_fail(err, "the PEM block \"%s\" is truncated", label);
    }
    if (half != AHK_HALF_NONE && half != describe(labelled)->half) {
        return ahk_fail(err, "the PEM label says \"%s\", but the data is %s: a %s key is expected here", label,
                        describe(found)->name, half_name(describe(labelled)->half));
    }
    if (right != NULL) {
        return ahk_fail(err, "the PEM label says \"%s\", but the data is %s: change the label to \"%s\"", label,
                        describe(found)->name, right);
    }
    return ahk_fail(err, "the PEM label says \"%s\", but the data is %s", label, describe(found)->name);
}

static bool fail_unlabelled(ahk_key_half wanted, ahk_key_form found, size_t length, ahk_error *err)
{
    if (found == AHK_FORM_TRUNCATED) {
        return ahk_fail(err, "the key is truncated: its DER header announces more than the %zu bytes given", length);
    }
    if (describe(found)->half == AHK_HALF_NONE) {
        return ahk_fail(err, "no key: neither PEM, nor DER or base64 of PKCS#8, PKCS#1, SEC1, SubjectPublicKeyInfo "
                             "or an X.509 certificate");
    }
    return ahk_fail(err, "holds %s, but a %s key is expected here", describe(found)->name, half_name(wanted));
}

/* Undoes RFC 1421's encryption, and tells the form of what is then there. */
static bool open_block(ahk_key_block *block, ahk_key_half wanted, ahk_slice passphrase, ahk_key_form *form,
                       ahk_error *err)
{
    const bool encrypted = block->header[0] != '\0';
    if (encrypted && !ahk_decrypt_pem(block->header, block->der, &block->length, passphrase, err)) {
        return false;
    }
    *form = ahk_key_form_of_der((ahk_slice){block->der, block->length});
    if (block->labelled == AHK_FORM_UNKNOWN) {
        return describe(*form)->half == wanted || fail_unlabelled(wanted, *form, block->length, err);
    }
    if (*form != block->labelled) {
        /* The padding of what a wrong passphrase gives is right once in 256 times. */
        return encrypted ? ahk_fail_to_decrypt(passphrase, err) : fail_mislabelled(block->labelled, *form, err);
    }
    return true;
}

static EVP_PKEY *make_pkey(ahk_key_form form, ahk_slice der, ahk_error *err)
{
    ahk_key_numbers numbers;
    if (!ahk_key_der_read(form, der, &numbers, err)) {
        return NULL;
    }
    return numbers.type == AHK_KEY_RSA ? ahk_rsa_make(&numbers, err) : ahk_ec_make(&numbers, err);
}

static EVP_PKEY *make_encrypted(ahk_slice der, ahk_slice passphrase, ahk_error *err)
{
    unsigned char *plain = NULL;
    size_t length = 0;
    EVP_PKEY *pkey = NULL;
    if (!ahk_decrypt_pkcs8(der, passphrase, &plain, &length, err)) {
        return NULL;
    }
    if (ahk_key_form_of_der((ahk_slice){plain, length}) == AHK_FORM_PKCS8) {
        pkey = make_pkey(AHK_FORM_PKCS8, (ahk_slice){plain, length}, err);
    } else {
        (void)ahk_fail_to_decrypt(passphrase, err);
    }
    OPENSSL_clear_free(plain, length);
    return pkey;
}

static EVP_PKEY *read_block(ahk_key_block *block, ahk_key_half wanted, ahk_slice passphrase, ahk_error *err)
{
    ahk_key_form form = AHK_FORM_UNKNOWN;
    if (!open_block(block, wanted, passphrase, &form, err)) {
        return NULL;
    }
    const ahk_slice der = {block->der, block->length};
    return form == AHK_FORM_PKCS8_ENCRYPTED ? make_encrypted(der, passphrase, err) : make_pkey(form, der, err);
}

/* ---- which of several blocks -------------------------------------------------------------------- */

/* Whether the block is a certificate that another one in the text was issued under. */
static bool is_issuer(const ahk_key_text *text, size_t at)
{
    const ahk_key_block *issuer = &text->blocks[at];
    for (size_t i = 0; issuer->labelled == AHK_FORM_CERTIFICATE && i < text->count; i++) {
        const ahk_key_block *other = &text->blocks[i];
        if (i != at && other->labelled == AHK_FORM_CERTIFICATE &&
            ahk_key_der_issued((ahk_slice){issuer->der, issuer->length}, (ahk_slice){other->der, other->length})) {
            return true;
        }
    }
    return false;
}

static bool same_key(const EVP_PKEY *a, const EVP_PKEY *b)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return EVP_PKEY_eq(a, b) == 1;
#else
    return EVP_PKEY_cmp(a, b) == 1;
#endif
}

/* The first block is the key. The others may be the same once more, or, behind a certificate, its issuers. */
static bool check_others(ahk_key_text *text, const EVP_PKEY *key, ahk_slice passphrase, ahk_error *err)
{
    ahk_error detail = AHK_ERROR_INIT;
    for (size_t i = 1; i < text->count; i++) {
        if (is_issuer(text, i)) {
            continue;
        }
        EVP_PKEY *other = read_block(&text->blocks[i], text->wanted, passphrase, &detail);
        const bool same = other != NULL && same_key(key, other);
        EVP_PKEY_free(other);
        if (!same) {
            return ahk_fail(err, "holds two different %s: leave the one that is meant",
                            text->wanted == AHK_HALF_PRIVATE
                                ? "private keys"
                                : "public keys (and no chain, which is a certificate and then its issuers)");
        }
    }
    return true;
}

static EVP_PKEY *read_input(ahk_key_half half, ahk_slice input, ahk_slice passphrase, ahk_error *err)
{
    ahk_key_text text;
    EVP_PKEY *pkey = NULL;
    if (input.length == 0) {
        (void)ahk_fail(err, "the key is empty");
        return NULL;
    }
    if (input.length > AHK_KEY_INPUT_MAX) {
        (void)ahk_fail(err, "longer than %zu bytes", AHK_KEY_INPUT_MAX);
        return NULL;
    }
    if (ahk_key_text_read(&text, half, input, err)) {
        pkey = read_block(&text.blocks[0], half, passphrase, err);
        if (pkey != NULL && !check_others(&text, pkey, passphrase, err)) {
            EVP_PKEY_free(pkey);
            pkey = NULL;
        }
    }
    ahk_key_text_free(&text);
    return pkey;
}

/* ---- the key ------------------------------------------------------------------------------------ */

/* SHA-256 of the SubjectPublicKeyInfo, which is the same however the key was written: see key_make.h. */
static bool take_fingerprint(ahk_key *key, ahk_error *err)
{
    unsigned char *spki = NULL;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int digest_length = 0;
    const int length = i2d_PUBKEY(key->pkey, &spki);
    const bool done = length > 0 && EVP_Digest(spki, (size_t)length, digest, &digest_length, EVP_sha256(), NULL) == 1;
    OPENSSL_free(spki);
    if (!done) {
        return ahk_fail_openssl(err, "cannot take the key's fingerprint");
    }
    key->fingerprint[ahk_hex_encode((ahk_slice){digest, digest_length}, key->fingerprint)] = '\0';
    return true;
}

/* Once, when the key is read: what its private half signs, its public half has to verify. */
static bool check_pair(const ahk_key *key, ahk_error *err)
{
    static const unsigned char digest[32] = "alipayhk checks a key, just once";
    unsigned char signature[AHK_RSA_BITS_MAX / 8];
    size_t length = sizeof signature;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    const bool signs = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                       EVP_PKEY_sign(ctx, signature, &length, digest, sizeof digest) == 1 && length <= sizeof signature;
    const bool can_verify = signs && EVP_PKEY_verify_init(ctx) == 1;
    const bool verifies = can_verify && EVP_PKEY_verify(ctx, signature, length, digest, sizeof digest) == 1;
    EVP_PKEY_CTX_free(ctx);
    return verifies || ahk_fail_openssl(err, can_verify ? "the key is unsound: what it signs does not verify"
                                             : signs    ? "the key cannot be checked"
                                                        : "the key cannot sign");
}

/* OpenSSL 3 notes a key's size when it makes the key, and goes on without where memory is short: it is 0 then. */
static bool has_size(const EVP_PKEY *pkey, ahk_error *err)
{
    return (EVP_PKEY_size(pkey) > 0 && EVP_PKEY_bits(pkey) > 0) || ahk_fail(err, "out of memory");
}

ahk_key *ahk_key_read(ahk_key_half half, ahk_slice input, ahk_slice passphrase, ahk_error *err)
{
    AHK_REQUIRE(half != AHK_HALF_NONE && ahk_slice_is_valid(input) && ahk_slice_is_valid(passphrase));
    ERR_clear_error();
    ahk_key *key = OPENSSL_zalloc(sizeof *key);
    if (key == NULL) {
        (void)ahk_fail(err, "out of memory");
        ERR_clear_error();
        return NULL;
    }
    key->half = half;
    key->pkey = read_input(half, input, passphrase, err);
    if (key->pkey != NULL) {
        key->type = EVP_PKEY_base_id(key->pkey) == EVP_PKEY_RSA ? AHK_KEY_RSA : AHK_KEY_EC;
    }
    if (key->pkey == NULL || !has_size(key->pkey, err) || !take_fingerprint(key, err) ||
        (half == AHK_HALF_PRIVATE && !check_pair(key, err))) {
        ahk_key_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

ahk_key *ahk_key_read_file(ahk_key_half half, const char *path, ahk_slice passphrase, ahk_error *err)
{
    AHK_REQUIRE(half != AHK_HALF_NONE && path != NULL && ahk_slice_is_valid(passphrase));
    ahk_file file;
    ahk_error detail = AHK_ERROR_INIT;
    if (!ahk_file_read(&file, path, AHK_KEY_INPUT_MAX, err)) {
        ERR_clear_error();
        return NULL;
    }
    ahk_key *key = ahk_key_read(half, (ahk_slice){file.data, file.length}, passphrase, &detail);
    if (key == NULL) {
        (void)ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), detail.text);
    }
    ahk_file_free(&file);
    return key;
}

/* Older ones cannot copy a key: its threads then share the numbers, which is safe, if not as fast. */
static EVP_PKEY *copy_of(EVP_PKEY *pkey)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    return EVP_PKEY_dup(pkey);
#else
    return EVP_PKEY_up_ref(pkey) == 1 ? pkey : NULL;
#endif
}

ahk_key *ahk_key_copy(const ahk_key *key, ahk_error *err)
{
    ERR_clear_error();
    ahk_key *copy = OPENSSL_zalloc(sizeof *copy);
    if (copy != NULL) {
        copy->half = key->half;
        copy->type = key->type;
        memcpy(copy->fingerprint, key->fingerprint, sizeof copy->fingerprint);
        copy->pkey = copy_of(key->pkey);
    }
    if (copy == NULL || copy->pkey == NULL) {
        (void)ahk_fail_openssl(err, "key: copying it");
        ahk_key_free(copy);
        return NULL;
    }
    ERR_clear_error();
    return copy;
}

void ahk_key_free(ahk_key *key)
{
    if (key == NULL) {
        return;
    }
    for (int i = 0; i < AHK_DIGESTS; i++) {
        EVP_MD_CTX_free(key->signing[i]);
        EVP_MD_CTX_free(key->verifying[i]);
    }
    EVP_MD_CTX_free(key->scratch);
    EVP_PKEY_free(key->pkey);
    OPENSSL_clear_free(key, sizeof *key);
}

ahk_key_type ahk_key_get_type(const ahk_key *key)
{
    AHK_REQUIRE(key != NULL);
    return key->type;
}

ahk_key_half ahk_key_get_half(const ahk_key *key)
{
    AHK_REQUIRE(key != NULL);
    return key->half;
}

int ahk_key_get_bits(const ahk_key *key)
{
    AHK_REQUIRE(key != NULL);
    return EVP_PKEY_bits(key->pkey);
}

const char *ahk_key_get_fingerprint(const ahk_key *key)
{
    AHK_REQUIRE(key != NULL);
    return key->fingerprint;
}
