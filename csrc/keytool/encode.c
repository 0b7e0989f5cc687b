#include "encode.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "../crypto/codec.h"
#include "../crypto/key_private.h"
#include "../crypto/openssl_error.h"

enum { LINE_BYTES = 48, LINE_CHARACTERS = 64, LABEL_MAX = 32 };

void ahk_encoded_free(ahk_encoded *encoded)
{
    OPENSSL_clear_free(encoded->data, encoded->room);
    *encoded = (ahk_encoded){NULL, 0, 0};
}

/* ---- DER ---------------------------------------------------------------------------------------- */

/* What one of OpenSSL's i2d functions gave. */
static bool take(int length, unsigned char *data, ahk_encoded *out, ahk_error *err)
{
    if (length <= 0 || data == NULL) {
        return ahk_fail_openssl(err, "OpenSSL cannot write the key");
    }
    *out = (ahk_encoded){data, (size_t)length, (size_t)length};
    return true;
}

bool ahk_encode_pkcs8_der(const EVP_PKEY *pkey, ahk_encoded *out, ahk_error *err)
{
    unsigned char *data = NULL;
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    const int length = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &data) : 0;
    PKCS8_PRIV_KEY_INFO_free(info); /* cleanses it */
    return take(length, data, out, err);
}

static bool encode_spki(const ahk_key *key, ahk_encoded *out, ahk_error *err)
{
    unsigned char *data = NULL;
    const int length = i2d_PUBKEY(key->pkey, &data);
    return take(length, data, out, err);
}

static ahk_key_form older_form(const ahk_key *key)
{
    if (key->half == AHK_HALF_PUBLIC) {
        return AHK_FORM_PKCS1_PUBLIC;
    }
    return key->type == AHK_KEY_RSA ? AHK_FORM_PKCS1_PRIVATE : AHK_FORM_SEC1;
}

/* PKCS#1 of either half, or SEC1. */
static bool encode_older(const ahk_key *key, ahk_encoded *out, ahk_error *err)
{
    unsigned char *data = NULL;
    const bool private = key->half == AHK_HALF_PRIVATE;
    if (!private && key->type == AHK_KEY_EC) {
        return ahk_fail(err, "PKCS#1 has no public keys of EC: take spki");
    }
    const int length = private ? i2d_PrivateKey(key->pkey, &data) : i2d_PublicKey(key->pkey, &data);
    if (!take(length, data, out, err)) {
        return false;
    }
    /* Where memory is short, i2d_PrivateKey writes PKCS#8 instead. */
    if (ahk_key_form_of_der((ahk_slice){out->data, out->length}) != older_form(key)) {
        ahk_encoded_free(out);
        return ahk_fail(err, "out of memory");
    }
    return true;
}

static bool encode_der(const ahk_key *key, ahk_encoding encoding, ahk_encoded *out, ahk_error *err)
{
    const bool private = key->half == AHK_HALF_PRIVATE;
    if (encoding == AHK_ENCODE_PKCS1) {
        return encode_older(key, out, err);
    }
    if (encoding == AHK_ENCODE_PKCS8 && !private) {
        return ahk_fail(err, "PKCS#8 is a form of private keys, and this is a public one: take spki");
    }
    if (encoding == AHK_ENCODE_PKCS8 || (encoding == AHK_ENCODE_DER && private)) {
        return ahk_encode_pkcs8_der(key->pkey, out, err);
    }
    return encode_spki(key, out, err);
}

/* ---- as text ------------------------------------------------------------------------------------ */

static ahk_key_form form_of(const ahk_key *key, ahk_encoding encoding)
{
    if (encoding == AHK_ENCODE_PKCS8) {
        return AHK_FORM_PKCS8;
    }
    return encoding == AHK_ENCODE_SPKI ? AHK_FORM_SPKI : older_form(key);
}

static bool make_room(ahk_encoded *out, size_t room, ahk_error *err)
{
    *out = (ahk_encoded){OPENSSL_malloc(room), 0, room};
    return out->data != NULL || ahk_fail(err, "out of memory");
}

static bool to_base64(ahk_slice der, ahk_encoded *out, ahk_error *err)
{
    if (!make_room(out, AHK_BASE64_SIZE(der.length) + 1, err)) {
        return false;
    }
    out->length = ahk_base64_encode(der, (char *)out->data);
    out->data[out->length++] = '\n';
    return true;
}

static bool to_pem(ahk_slice der, const char *label, ahk_encoded *out, ahk_error *err)
{
    const size_t lines = (der.length + LINE_BYTES - 1) / LINE_BYTES;
    const size_t around = sizeof "-----BEGIN -----\n-----END -----\n" + 2 * (size_t)LABEL_MAX;
    if (!make_room(out, around + lines * (LINE_CHARACTERS + 2), err)) {
        return false;
    }
    char *text = (char *)out->data;
    out->length = (size_t)snprintf(text, out->room, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.length; at += LINE_BYTES) {
        const size_t left = der.length - at;
        const ahk_slice line = {der.data + at, left < LINE_BYTES ? left : LINE_BYTES};
        out->length += ahk_base64_encode(line, text + out->length);
        text[out->length++] = '\n';
    }
    out->length += (size_t)snprintf(text + out->length, out->room - out->length, "-----END %s-----\n", label);
    return true;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

bool ahk_encoding_is_private(const ahk_key *key, ahk_encoding encoding)
{
    return key->half == AHK_HALF_PRIVATE && encoding != AHK_ENCODE_SPKI && encoding != AHK_ENCODE_BASE64;
}

bool ahk_encode(const ahk_key *key, ahk_encoding encoding, ahk_encoded *out, ahk_error *err)
{
    AHK_REQUIRE(key != NULL && out != NULL && encoding < AHK_ENCODINGS);
    ahk_encoded der = {NULL, 0, 0};
    ERR_clear_error();
    if (!encode_der(key, encoding, &der, err)) {
        ERR_clear_error();
        return false;
    }
    ERR_clear_error();
    if (encoding == AHK_ENCODE_DER) {
        *out = der;
        return true;
    }
    const ahk_slice bytes = {der.data, der.length};
    const bool done = encoding == AHK_ENCODE_BASE64
                          ? to_base64(bytes, out, err)
                          : to_pem(bytes, ahk_key_form_describe(form_of(key, encoding))->label, out, err);
    ahk_encoded_free(&der);
    return done;
}
