#include "key_decrypt.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdint.h>

#include "der.h"
#include "openssl_error.h"

#define NEEDS_PASSPHRASE "the key is encrypted: give its passphrase"
#define RE_ENCRYPT "`openssl pkcs8 -topk8 -in FILE -out key.pem` encrypts it anew"

#define OID_PBES2 "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"
#define OID_PBKDF2 "\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0C"
#define OID_SCRYPT "\x2B\x06\x01\x04\x01\xDA\x47\x04\x0B"

static bool check_passphrase(ahk_slice passphrase, ahk_error *err)
{
    if (passphrase.data == NULL) {
        return ahk_fail(err, NEEDS_PASSPHRASE);
    }
    return passphrase.length <= PEM_BUFSIZE || ahk_fail(err, "the passphrase is longer than %d bytes", PEM_BUFSIZE);
}

/* ---- how much work a passphrase's key is -------------------------------------------------------- */

/* The value of an INTEGER, INT64_MAX for what is larger. */
static bool take_count(ahk_slice *rest, int64_t *count)
{
    ahk_slice number;
    if (!ahk_der_take_unsigned(rest, &number)) {
        return false;
    }
    *count = number.length < sizeof *count ? 0 : INT64_MAX;
    for (size_t i = 0; *count != INT64_MAX && i < number.length; i++) {
        *count = *count << 8 | number.data[i];
    }
    return true;
}

static bool check_rounds(ahk_slice parameters, ahk_error *err)
{
    int64_t rounds = 0;
    ahk_der_element salt;
    if (!ahk_der_next(&parameters, &salt) || !take_count(&parameters, &rounds)) {
        return ahk_fail(err, "cannot decrypt the key: its encryption parameters are damaged");
    }
    return rounds <= AHK_PBKDF2_ROUNDS_MAX ||
           ahk_fail(err,
                    "the key's encryption asks for more than %ld rounds, which would take minutes: "
                    "where there is time, " RE_ENCRYPT,
                    AHK_PBKDF2_ROUNDS_MAX);
}

static bool check_scrypt(ahk_slice parameters, ahk_error *err)
{
    ahk_der_element salt;
    int64_t n = 0;
    int64_t r = 0;
    int64_t p = 0;
    if (!ahk_der_next(&parameters, &salt) || !take_count(&parameters, &n) || !take_count(&parameters, &r) ||
        !take_count(&parameters, &p) || n == 0 || r == 0 || p == 0) {
        return ahk_fail(err, "cannot decrypt the key: its encryption parameters are damaged");
    }
    const int64_t most = AHK_SCRYPT_COST_MAX;
    return (n <= most && r <= most / n && p <= most / n / r) ||
           ahk_fail(err,
                    "the key's encryption asks scrypt for more than %ld blocks, which would take minutes: "
                    "where there is time, " RE_ENCRYPT,
                    AHK_SCRYPT_COST_MAX);
}

/* Of an EncryptedPrivateKeyInfo. What is not understood here is not tried. */
static bool check_work(ahk_slice der, ahk_error *err)
{
    ahk_slice content;
    ahk_slice algorithm;
    ahk_slice oid;
    ahk_slice parameters;
    ahk_slice derivation;
    if (!ahk_der_take(&der, AHK_DER_SEQUENCE, &content) || !ahk_der_take(&content, AHK_DER_SEQUENCE, &algorithm) ||
        !ahk_der_take(&algorithm, AHK_DER_OID, &oid) || !ahk_der_take(&algorithm, AHK_DER_SEQUENCE, &parameters)) {
        return ahk_fail(err, "cannot decrypt the key: its encryption parameters are damaged");
    }
    if (!ahk_slice_is(oid, OID_PBES2)) {
        return check_rounds(parameters, err); /* PBES1 and PKCS#12's: a salt and the rounds */
    }
    if (ahk_der_take(&parameters, AHK_DER_SEQUENCE, &derivation) && ahk_der_take(&derivation, AHK_DER_OID, &oid) &&
        ahk_der_take(&derivation, AHK_DER_SEQUENCE, &parameters)) {
        if (ahk_slice_is(oid, OID_PBKDF2)) {
            return check_rounds(parameters, err);
        }
        if (ahk_slice_is(oid, OID_SCRYPT)) {
            return check_scrypt(parameters, err);
        }
    }
    return ahk_fail(err, "cannot decrypt the key: neither PBKDF2 nor scrypt makes its key; " RE_ENCRYPT);
}

/* ---- decrypting --------------------------------------------------------------------------------- */

bool ahk_fail_to_decrypt(ahk_slice passphrase, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(passphrase));
    if (passphrase.length == 0) {
        return ahk_fail_openssl(err, AHK_CANNOT_DECRYPT "; the passphrase given is empty");
    }
    if (ahk_is_space(passphrase.data[passphrase.length - 1])) {
        return ahk_fail_openssl(err, AHK_CANNOT_DECRYPT "; the passphrase given ends in a blank or a line break");
    }
    return ahk_fail_openssl(err, AHK_CANNOT_DECRYPT);
}

bool ahk_decrypt_pkcs8(ahk_slice der, ahk_slice passphrase, unsigned char **out, size_t *out_length, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(der) && out != NULL && out_length != NULL);
    if (!check_passphrase(passphrase, err) || !check_work(der, err)) {
        return false;
    }
    const unsigned char *p = der.data;
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OCTET_STRING *sealed = NULL;
    int length = 0;
    *out = NULL;
    X509_SIG *both = d2i_X509_SIG(NULL, &p, (long)der.length);
    const bool whole = both != NULL && p == der.data + der.length;
    if (both != NULL) {
        X509_SIG_get0(both, &algorithm, &sealed);
    }
    /* Not PKCS8_decrypt: what it makes is copied about before it is a key. */
    const bool done =
        whole && PKCS12_pbe_crypt(algorithm, (const char *)passphrase.data, (int)passphrase.length,
                                  ASN1_STRING_get0_data(sealed), ASN1_STRING_length(sealed), out, &length, 0) != NULL;
    X509_SIG_free(both);
    if (both != NULL && !whole) {
        return ahk_fail(err, "%zu bytes follow the end of the key", (size_t)(der.data + der.length - p));
    }
    if (!done || length < 0) {
        return ahk_fail_to_decrypt(passphrase, err);
    }
    *out_length = (size_t)length;
    return true;
}

/* OpenSSL's default callback would ask at the terminal. */
static int give_passphrase(char *out, int size, int writing, void *user)
{
    const ahk_slice *passphrase = user;
    (void)writing;
    if (passphrase->length > (size_t)size) {
        return -1;
    }
    memcpy(out, passphrase->data, passphrase->length);
    return (int)passphrase->length;
}

bool ahk_decrypt_pem(const char *header, unsigned char *bytes, size_t *length, ahk_slice passphrase, ahk_error *err)
{
    AHK_REQUIRE(header != NULL && bytes != NULL && length != NULL);
    enum { HEADER_MAX = 256 };
    char lines[HEADER_MAX]; /* the call below writes into them */
    EVP_CIPHER_INFO cipher;
    long left = (long)*length;
    if (strlen(header) >= sizeof lines) {
        return ahk_fail(err, "cannot read the PEM header of the encrypted key");
    }
    memcpy(lines, header, strlen(header) + 1);
    if (PEM_get_EVP_CIPHER_INFO(lines, &cipher) != 1) {
        return ahk_fail_openssl(err, "cannot read the PEM header of the encrypted key");
    }
    if (!check_passphrase(passphrase, err)) {
        return false;
    }
    if (PEM_do_header(&cipher, bytes, &left, give_passphrase, &passphrase) != 1 || left < 0) {
        return ahk_fail_to_decrypt(passphrase, err);
    }
    *length = (size_t)left;
    return true;
}
