#include "describe.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <time.h>

#include "../crypto/file.h"
#include "../crypto/key_text.h"

/* ---- which half, which form --------------------------------------------------------------------- */

static ahk_key_form form_of(const ahk_key_block *block)
{
    return block->labelled != AHK_FORM_UNKNOWN ? block->labelled
                                               : ahk_key_form_of_der((ahk_slice){block->der, block->length});
}

static ahk_wrapping wrapping_of(const ahk_key_block *block, ahk_slice input)
{
    if (block->labelled != AHK_FORM_UNKNOWN) {
        return AHK_WRAPPED_PEM;
    }
    /* Base64 becomes fewer bytes. */
    return block->length == input.length ? AHK_WRAPPED_DER : AHK_WRAPPED_BASE64;
}

/* Whether the text, which the caller frees in either case, holds a key of that half. */
static bool has_half(ahk_key_text *text, ahk_key_half half, ahk_slice input, ahk_error *err)
{
    if (!ahk_key_text_read(text, half, input, err)) {
        return false;
    }
    const ahk_key_half found = ahk_key_form_describe(form_of(&text->blocks[0]))->half;
    return found == half || found == AHK_HALF_NONE || ahk_fail(err, "holds a key of the other half");
}

/* ---- the expiry of a certificate ---------------------------------------------------------------- */

static bool read_expiry(ahk_slice der, int64_t *expires)
{
    const unsigned char *p = der.data;
    struct tm at;
    X509 *certificate = d2i_X509(NULL, &p, (long)der.length);
    const bool known = certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) == 1;
    X509_free(certificate);
    if (known) {
        *expires = (int64_t)timegm(&at);
    }
    return known;
}

/* ---- all of it ---------------------------------------------------------------------------------- */

static void describe_block(const ahk_key_block *block, ahk_slice input, ahk_description *out)
{
    out->form = form_of(block);
    out->wrapping = wrapping_of(block, input);
    out->is_encrypted = out->form == AHK_FORM_PKCS8_ENCRYPTED || block->header[0] != '\0';
    out->has_expiry =
        out->form == AHK_FORM_CERTIFICATE && read_expiry((ahk_slice){block->der, block->length}, &out->expires);
}

/* The half of which there is a key: the private one where there are both, or none. */
static ahk_key_half find_half(ahk_slice input, ahk_description *out, ahk_error *err)
{
    static const ahk_key_half halves[] = {AHK_HALF_PRIVATE, AHK_HALF_PUBLIC};
    ahk_error details[] = {AHK_ERROR_INIT, AHK_ERROR_INIT};
    for (size_t i = 0; i < 2; i++) {
        ahk_key_text text;
        const bool found = has_half(&text, halves[i], input, &details[i]);
        if (found) {
            describe_block(&text.blocks[0], input, out);
        }
        ahk_key_text_free(&text);
        if (found) {
            return halves[i];
        }
    }
    const bool meant_private = ahk_slice_find(input, "PRIVATE KEY") < input.length;
    *err = details[meant_private ? 0 : 1];
    return AHK_HALF_NONE;
}

const char *ahk_describe_form(ahk_key_form form)
{
    switch (form) {
    case AHK_FORM_PKCS8:
    case AHK_FORM_PKCS8_ENCRYPTED:
        return "PKCS#8";
    case AHK_FORM_PKCS1_PRIVATE:
    case AHK_FORM_PKCS1_PUBLIC:
        return "PKCS#1";
    case AHK_FORM_SEC1:
        return "SEC1";
    case AHK_FORM_SPKI:
        return "SPKI";
    case AHK_FORM_CERTIFICATE:
        return "certificate";
    default:
        return "unknown";
    }
}

bool ahk_describe(ahk_slice input, ahk_slice passphrase, ahk_description *out, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(input) && ahk_slice_is_valid(passphrase) && out != NULL);
    *out = (ahk_description){.form = AHK_FORM_UNKNOWN};
    if (input.length == 0 || input.length > AHK_KEY_INPUT_MAX) {
        return input.length == 0 ? ahk_fail(err, "the key is empty")
                                 : ahk_fail(err, "longer than %zu bytes", AHK_KEY_INPUT_MAX);
    }
    const ahk_key_half half = find_half(input, out, err);
    if (half != AHK_HALF_NONE) {
        out->key = ahk_key_read(half, input, passphrase, err);
    }
    ERR_clear_error();
    return out->key != NULL;
}

bool ahk_describe_file(const char *path, ahk_slice passphrase, ahk_description *out, ahk_error *err)
{
    AHK_REQUIRE(path != NULL && ahk_slice_is_valid(passphrase) && out != NULL);
    ahk_file file;
    ahk_error detail = AHK_ERROR_INIT;
    *out = (ahk_description){.form = AHK_FORM_UNKNOWN};
    if (!ahk_file_read(&file, path, AHK_KEY_INPUT_MAX, err)) {
        return false;
    }
    const bool done = ahk_describe((ahk_slice){file.data, file.length}, passphrase, out, &detail);
    ahk_file_free(&file);
    return done || ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), detail.text);
}
