#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec.h"
#include "key_private.h"
#include "openssl_error.h"

/* A long path must not push the reason out of the message. */
#define PATH_FORMAT "%.160s"
#define NEEDS_PASSPHRASE "the key is encrypted: give its passphrase"
#define CANNOT_DECRYPT "cannot decrypt the key (wrong passphrase, or a cipher that this OpenSSL lacks)"

static const ahk_key_form_info *describe(ahk_key_form form)
{
    return ahk_key_form_describe(form);
}

static const char *half_name(ahk_key_half half)
{
    return half == AHK_HALF_PRIVATE ? "private" : "public";
}

/* ---- one DER structure -> EVP_PKEY ------------------------------------------------------------ */

static EVP_PKEY *parse_encrypted_pkcs8(const unsigned char **p, long length, ahk_slice passphrase, ahk_error *err)
{
    if (passphrase.data == NULL) {
        ahk_fail(err, NEEDS_PASSPHRASE);
        return NULL;
    }
    EVP_PKEY *pkey = NULL;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    X509_SIG *sealed = d2i_X509_SIG(NULL, p, length);
    if (sealed != NULL) {
        info = PKCS8_decrypt(sealed, (const char *)passphrase.data, (int)passphrase.length);
    }
    if (info != NULL) {
        pkey = EVP_PKCS82PKEY(info);
    }
    if (pkey == NULL) {
        ahk_fail_openssl(err, CANNOT_DECRYPT);
    }
    PKCS8_PRIV_KEY_INFO_free(info); /* cleanses what it held */
    X509_SIG_free(sealed);
    return pkey;
}

static EVP_PKEY *parse_plain_pkcs8(const unsigned char **p, long length)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, p, length);
    EVP_PKEY *pkey = info != NULL ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

static EVP_PKEY *parse_certificate(const unsigned char **p, long length)
{
    X509 *certificate = d2i_X509(NULL, p, length);
    EVP_PKEY *pkey = certificate != NULL ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    return pkey;
}

static EVP_PKEY *parse_by_form(ahk_key_form form, const unsigned char **p, long length)
{
    switch (form) {
    case AHK_FORM_PKCS8:
        return parse_plain_pkcs8(p, length);
    case AHK_FORM_PKCS1_PRIVATE:
        return d2i_PrivateKey(EVP_PKEY_RSA, NULL, p, length);
    case AHK_FORM_SEC1:
        return d2i_PrivateKey(EVP_PKEY_EC, NULL, p, length);
    case AHK_FORM_SPKI:
        return d2i_PUBKEY(NULL, p, length);
    case AHK_FORM_PKCS1_PUBLIC:
        return d2i_PublicKey(EVP_PKEY_RSA, NULL, p, length);
    case AHK_FORM_CERTIFICATE:
        return parse_certificate(p, length);
    case AHK_FORM_PKCS8_ENCRYPTED:
    case AHK_FORM_UNKNOWN:
    case AHK_FORM_TRUNCATED:
    default:
        return NULL;
    }
}

/* Some builds list P-224 and lack it: only making the group tells. */
static bool have_p224(void)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp224r1);
    const bool have = group != NULL;
    EC_GROUP_free(group);
    ERR_clear_error();
    return have;
}

static EVP_PKEY *parse_der(ahk_key_form form, ahk_slice der, ahk_slice passphrase, ahk_error *err)
{
    const unsigned char *p = der.data;
    const long length = (long)der.length;
    EVP_PKEY *pkey = NULL;
    if (form == AHK_FORM_PKCS8_ENCRYPTED) {
        pkey = parse_encrypted_pkcs8(&p, length, passphrase, err);
        if (pkey == NULL) {
            return NULL;
        }
    } else {
        pkey = parse_by_form(form, &p, length);
    }
    if (pkey == NULL) {
        char what[96];
        (void)snprintf(what, sizeof what, "looks like %s, but OpenSSL cannot read it", describe(form)->name);
        ahk_fail_openssl(err, what);
        if (!have_p224()) {
            ahk_fail(err, "%s (this build of OpenSSL has no P-224, so no ECC224)", what);
        }
        return NULL;
    }
    if (p != der.data + der.length) {
        ahk_fail(err, "%zu bytes follow the end of the key", (size_t)(der.data + der.length - p));
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

/* ---- what the input is: PEM, DER, bare base64 ------------------------------------------------- */

static bool contains(ahk_slice s, const char *needle)
{
    const size_t n = strlen(needle);
    for (size_t i = 0; i + n <= s.length; i++) {
        if (memcmp(s.data + i, needle, n) == 0) {
            return true;
        }
    }
    return false;
}

/* OpenSSL's default callback would ask at the terminal. */
static int give_passphrase(char *out, int size, int writing, void *user)
{
    const ahk_slice *passphrase = user;
    (void)writing;
    if (passphrase->data == NULL || passphrase->length > (size_t)size) {
        return -1;
    }
    memcpy(out, passphrase->data, passphrase->length);
    return (int)passphrase->length;
}

typedef struct {
    char *label;
    char *header;
    unsigned char *data;
    long length;
} pem_block;

static void pem_block_free(pem_block *block)
{
    OPENSSL_secure_free(block->label);
    OPENSSL_secure_free(block->header);
    OPENSSL_secure_clear_free(block->data, block->length > 0 ? (size_t)block->length : 0);
}

/* Undoes the RFC 1421 encryption of older PEM files ("Proc-Type: 4,ENCRYPTED"), in place. */
static bool decrypt_block(pem_block *block, ahk_slice passphrase, bool *was_encrypted, ahk_error *err)
{
    EVP_CIPHER_INFO cipher;
    if (PEM_get_EVP_CIPHER_INFO(block->header, &cipher) != 1) {
        return ahk_fail_openssl(err, "cannot read the PEM header");
    }
    *was_encrypted = cipher.cipher != NULL;
    if (!*was_encrypted) {
        return true;
    }
    if (passphrase.data == NULL) {
        return ahk_fail(err, NEEDS_PASSPHRASE);
    }
    if (PEM_do_header(&cipher, block->data, &block->length, give_passphrase, &passphrase) != 1) {
        return ahk_fail_openssl(err, CANNOT_DECRYPT);
    }
    return true;
}

static void fail_mislabelled(const pem_block *block, ahk_key_form found, ahk_error *err)
{
    const char *right = describe(found)->label;
    if (found == AHK_FORM_TRUNCATED) {
        ahk_fail(err, "the PEM block \"%s\" is truncated", block->label);
    } else if (right != NULL) {
        ahk_fail(err, "the PEM label says \"%s\", but the data is %s: change the label to \"%s\"", block->label,
                 describe(found)->name, right);
    } else {
        ahk_fail(err, "the PEM label says \"%s\", but the data is %s", block->label, describe(found)->name);
    }
}

static EVP_PKEY *parse_block(pem_block *block, ahk_key_form labelled, ahk_slice passphrase, ahk_error *err)
{
    bool was_encrypted = false;
    if (!decrypt_block(block, passphrase, &was_encrypted, err)) {
        return NULL;
    }
    const ahk_slice der = {block->data, (size_t)block->length};
    const ahk_key_form found = ahk_key_form_of_der(der);
    if (found == labelled) {
        return parse_der(found, der, passphrase, err);
    }
    if (was_encrypted) {
        /* The padding of what a wrong passphrase gives is right once in 256 times. */
        ahk_fail(err, CANNOT_DECRYPT);
    } else {
        fail_mislabelled(block, found, err);
    }
    return NULL;
}

/* Takes the first block of the wanted half; files may hold more (EC PARAMETERS, a chain, both halves). */
static EVP_PKEY *parse_pem(ahk_key_half half, ahk_slice text, ahk_slice passphrase, ahk_error *err)
{
    if (!contains(text, "-----END ")) {
        ahk_fail(err, "the PEM text is truncated: it has a BEGIN line and no END line");
        return NULL;
    }
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.length);
    EVP_PKEY *pkey = NULL;
    ahk_key_form other = AHK_FORM_UNKNOWN;
    bool searching = bio != NULL;
    size_t blocks = 0;
    while (searching) {
        pem_block block = {NULL, NULL, NULL, 0};
        /* "Secure" cleanses the line buffers as well. */
        if (PEM_read_bio_ex(bio, &block.label, &block.header, &block.data, &block.length,
                            PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1) {
            break;
        }
        blocks++;
        const ahk_key_form labelled = ahk_key_form_of_label(block.label);
        if (labelled != AHK_FORM_UNKNOWN && describe(labelled)->half == half) {
            pkey = parse_block(&block, labelled, passphrase, err);
            searching = false;
        } else if (labelled != AHK_FORM_UNKNOWN) {
            other = labelled;
        }
        pem_block_free(&block);
    }
    BIO_free(bio);
    if (!searching) {
        return pkey; /* read, or *err says why not */
    }
    if (other != AHK_FORM_UNKNOWN) {
        ahk_fail(err, "holds %s, but a %s key is expected here", describe(other)->name, half_name(half));
    } else if (blocks > 0) {
        ahk_fail(err, "its PEM blocks hold no key");
    } else {
        ahk_fail_openssl(err, "no readable PEM block: the BEGIN and END lines must stand on lines of their own "
                              "around unbroken base64 (are the line breaks lost, or a part of the text?)");
    }
    return NULL;
}

static EVP_PKEY *parse_bare_der(ahk_key_half half, ahk_slice der, ahk_slice passphrase, ahk_error *err)
{
    const ahk_key_form form = ahk_key_form_of_der(der);
    const ahk_key_form_info *info = describe(form);
    if (form == AHK_FORM_TRUNCATED) {
        ahk_fail(err, "the key is truncated: its DER header announces more than the %zu bytes given", der.length);
        return NULL;
    }
    if (form == AHK_FORM_UNKNOWN) {
        ahk_fail(err, "no key: neither PEM, nor DER or base64 of PKCS#8, PKCS#1, SEC1, SubjectPublicKeyInfo "
                      "or an X.509 certificate");
        return NULL;
    }
    if (info->half != half) {
        ahk_fail(err, "holds %s, but a %s key is expected here", info->name, half_name(half));
        return NULL;
    }
    return parse_der(form, der, passphrase, err);
}

/* Drops white space, so that wrapped text and a trailing newline do no harm. */
static EVP_PKEY *parse_base64(ahk_key_half half, ahk_slice text, ahk_slice passphrase, ahk_error *err)
{
    const size_t room = text.length + 1;
    unsigned char *packed = OPENSSL_malloc(room);
    unsigned char *der = OPENSSL_malloc(room);
    EVP_PKEY *pkey = NULL;
    if (packed == NULL || der == NULL) {
        ahk_fail(err, "out of memory");
    } else {
        ahk_slice characters = {packed, 0};
        ahk_slice decoded = {der, 0};
        for (size_t i = 0; i < text.length; i++) {
            if (text.data[i] > ' ') {
                packed[characters.length++] = text.data[i];
            }
        }
        ahk_error detail;
        if (ahk_base64_decode(characters, der, &decoded.length, &detail)) {
            pkey = parse_bare_der(half, decoded, passphrase, err);
        } else {
            ahk_fail(err, "no key: neither PEM nor DER, and as base64: %s", detail.text);
        }
    }
    OPENSSL_clear_free(packed, room);
    OPENSSL_clear_free(der, room);
    return pkey;
}

static EVP_PKEY *parse_input(ahk_key_half half, ahk_slice input, ahk_slice passphrase, ahk_error *err)
{
    enum { DER_SEQUENCE = 0x30 };
    if (input.length == 0) {
        ahk_fail(err, "the key is empty");
        return NULL;
    }
    if (input.length > AHK_KEY_INPUT_MAX) {
        ahk_fail(err, "no key: longer than %zu bytes", AHK_KEY_INPUT_MAX);
        return NULL;
    }
    if (passphrase.length > PEM_BUFSIZE) {
        ahk_fail(err, "the passphrase is longer than %d bytes", PEM_BUFSIZE);
        return NULL;
    }
    if (contains(input, "-----BEGIN ")) {
        return parse_pem(half, input, passphrase, err);
    }
    /* Base64 of DER starts with M, never with the byte 0x30 ("0"). */
    return input.data[0] == DER_SEQUENCE ? parse_bare_der(half, input, passphrase, err)
                                         : parse_base64(half, input, passphrase, err);
}

/* ---- EVP_PKEY -> ahk_key ------------------------------------------------------------------------ */

static bool curve_name(EVP_PKEY *pkey, char *name, size_t size)
{
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    size_t length = 0;
    return EVP_PKEY_get_group_name(pkey, name, size, &length) == 1;
#else
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(pkey);
    const EC_GROUP *group = ec != NULL ? EC_KEY_get0_group(ec) : NULL;
    const int nid = group != NULL ? EC_GROUP_get_curve_name(group) : NID_undef;
    (void)snprintf(name, size, "%s", OBJ_nid2sn(nid));
    return nid != NID_undef;
#endif
}

static bool check_rsa(EVP_PKEY *pkey, ahk_error *err)
{
    const int bits = EVP_PKEY_bits(pkey);
    if (bits < AHK_RSA_BITS_MIN || bits > AHK_RSA_BITS_MAX) {
        return ahk_fail(err, "the RSA key has %d bits; %d to %d are accepted (AlipayHK uses 2048)", bits,
                        AHK_RSA_BITS_MIN, AHK_RSA_BITS_MAX);
    }
    return true;
}

static bool check_ec(EVP_PKEY *pkey, ahk_error *err)
{
    char name[64] = "with explicit parameters";
    if (!curve_name(pkey, name, sizeof name) || OBJ_txt2nid(name) != NID_secp224r1) {
        return ahk_fail(err, "the EC key is on curve %s; ECC224 needs P-224 (secp224r1)", name);
    }
    if (!have_p224()) {
        return ahk_fail(err, "this build of OpenSSL has no P-224, so no ECC224");
    }
    return true;
}

static bool check_kind(EVP_PKEY *pkey, ahk_key_type *type, ahk_error *err)
{
    const int id = EVP_PKEY_base_id(pkey);
    if (id == EVP_PKEY_RSA) {
        *type = AHK_KEY_RSA;
        return check_rsa(pkey, err);
    }
    if (id == EVP_PKEY_EC) {
        *type = AHK_KEY_EC;
        return check_ec(pkey, err);
    }
    const char *name = OBJ_nid2sn(id);
    return ahk_fail(err, "a key of type %s; RSA (2048 bits or more) or EC on P-224 is expected",
                    name != NULL ? name : "unknown");
}

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

ahk_key *ahk_key_read(ahk_key_half half, ahk_slice input, ahk_slice passphrase, ahk_error *err)
{
    ERR_clear_error();
    ahk_key *key = OPENSSL_zalloc(sizeof *key);
    if (key == NULL) {
        ahk_fail(err, "out of memory");
        return NULL;
    }
    key->half = half;
    key->pkey = parse_input(half, input, passphrase, err);
    if (key->pkey == NULL || !check_kind(key->pkey, &key->type, err) || !take_fingerprint(key, err)) {
        ahk_key_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

/* Reads at most `room` bytes; -1 with errno set. */
static ssize_t read_whole(const char *path, unsigned char *out, size_t room)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    size_t length = 0;
    ssize_t n = 1;
    while (length < room && n != 0) {
        n = read(fd, out + length, room - length);
        if (n < 0 && errno != EINTR) {
            break;
        }
        length += n > 0 ? (size_t)n : 0;
    }
    const int reason = errno;
    (void)close(fd);
    errno = reason;
    return n < 0 ? -1 : (ssize_t)length;
}

ahk_key *ahk_key_read_file(ahk_key_half half, const char *path, ahk_slice passphrase, ahk_error *err)
{
    ERR_clear_error();
    const size_t room = AHK_KEY_INPUT_MAX + 1; /* one more, to notice what is too long */
    unsigned char *bytes = OPENSSL_malloc(room);
    if (bytes == NULL) {
        ahk_fail(err, PATH_FORMAT ": out of memory", path);
        return NULL;
    }
    ahk_key *key = NULL;
    const ssize_t length = read_whole(path, bytes, room);
    if (length < 0) {
        ahk_fail(err, PATH_FORMAT ": %s", path, strerror(errno));
    } else {
        ahk_error detail;
        key = ahk_key_read(half, (ahk_slice){bytes, (size_t)length}, passphrase, &detail);
        if (key == NULL) {
            ahk_fail(err, PATH_FORMAT ": %s", path, detail.text);
        }
    }
    OPENSSL_clear_free(bytes, room);
    return key;
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
    OPENSSL_free(key);
}

ahk_key_type ahk_key_get_type(const ahk_key *key)
{
    return key->type;
}

ahk_key_half ahk_key_get_half(const ahk_key *key)
{
    return key->half;
}

int ahk_key_get_bits(const ahk_key *key)
{
    return EVP_PKEY_bits(key->pkey);
}

const char *ahk_key_get_fingerprint(const ahk_key *key)
{
    return key->fingerprint;
}
