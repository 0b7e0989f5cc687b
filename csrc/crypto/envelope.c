#include "envelope.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "key_private.h"
#include "openssl_error.h"

enum {
    AES_BLOCK = 16,
    AES_KEY_MAX = 32,
    /* Bodies go through in chunks that are whole AES blocks and whole base64 groups. */
    CHUNK = 300 * AES_BLOCK,
    CHUNK_BASE64 = CHUNK / 3 * 4,
    WRAPPED_MAX = AHK_RSA_BITS_MAX / 8
};

static const EVP_CIPHER *aes_ecb(size_t key_bytes)
{
    return key_bytes == 16 ? EVP_aes_128_ecb() : key_bytes == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
}

static EVP_PKEY_CTX *rsa_context(const ahk_key *key, int (*init)(EVP_PKEY_CTX *), ahk_key_padding padding)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    const int rsa_padding = padding == AHK_KEY_PADDING_OAEP ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
    if (ctx == NULL || init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, rsa_padding) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool wrap_key(const ahk_key *key, ahk_slice aes_key, ahk_key_padding padding, ahk_sealed *sealed)
{
    unsigned char wrapped[WRAPPED_MAX];
    size_t length = sizeof wrapped;
    EVP_PKEY_CTX *ctx = rsa_context(key, EVP_PKEY_encrypt_init, padding);
    const bool done = ctx != NULL && EVP_PKEY_encrypt(ctx, wrapped, &length, aes_key.data, aes_key.length) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (done) {
        sealed->wrapped_key_length = ahk_base64_encode((ahk_slice){wrapped, length}, sealed->wrapped_key);
    }
    return done;
}

static bool encrypt_body(EVP_CIPHER_CTX *ctx, ahk_slice in, ahk_sealed *sealed)
{
    char *out = sealed->body;
    unsigned char chunk[CHUNK + AES_BLOCK];
    size_t written = 0;
    int n = 0;
    while (in.length >= CHUNK) {
        if (EVP_EncryptUpdate(ctx, chunk, &n, in.data, CHUNK) != 1 || n != CHUNK) {
            return false;
        }
        written += ahk_base64_encode((ahk_slice){chunk, CHUNK}, out + written);
        in.data += CHUNK;
        in.length -= CHUNK;
    }
    int last = 0;
    if (EVP_EncryptUpdate(ctx, chunk, &n, in.data, (int)in.length) != 1 ||
        EVP_EncryptFinal_ex(ctx, chunk + n, &last) != 1) {
        return false;
    }
    written += ahk_base64_encode((ahk_slice){chunk, (size_t)n + (size_t)last}, out + written);
    sealed->body_length = written;
    return true;
}

bool ahk_seal(const ahk_key *key, ahk_slice plaintext, ahk_seal_options options, ahk_sealed *sealed, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(plaintext) && plaintext.length <= AHK_MESSAGE_MAX);
    AHK_REQUIRE(sealed->body != NULL);
    AHK_REQUIRE(options.key_bits == 128 || options.key_bits == 192 || options.key_bits == 256);
    ERR_clear_error();
    if (key->type != AHK_KEY_RSA) {
        return ahk_fail(err, "seal: RSA_AES needs the receiver's RSA key, this one is EC");
    }
    unsigned char aes_key[AES_KEY_MAX];
    const size_t key_bytes = (size_t)options.key_bits / 8;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const bool done = ctx != NULL && RAND_priv_bytes(aes_key, (int)key_bytes) == 1 &&
                      wrap_key(key, (ahk_slice){aes_key, key_bytes}, options.padding, sealed) &&
                      EVP_EncryptInit_ex(ctx, aes_ecb(key_bytes), NULL, aes_key, NULL) == 1 &&
                      encrypt_body(ctx, plaintext, sealed);
    EVP_CIPHER_CTX_free(ctx); /* cleanses its key schedule */
    OPENSSL_cleanse(aes_key, sizeof aes_key);
    if (!done) {
        return ahk_fail_openssl(err, "seal");
    }
    ERR_clear_error();
    return true;
}

/* False where RSA did not give a key; aes_key then is a random one, so that the body is decrypted all
 * the same and the time tells no more than the answer. */
static bool unwrap_key(const ahk_key *key, ahk_slice wrapped, ahk_key_padding padding, unsigned char *aes_key,
                       size_t *key_bytes)
{
    unsigned char unwrapped[WRAPPED_MAX];
    size_t length = sizeof unwrapped;
    *key_bytes = AES_KEY_MAX;
    if (RAND_priv_bytes(aes_key, AES_KEY_MAX) != 1) {
        return false;
    }
    EVP_PKEY_CTX *ctx = rsa_context(key, EVP_PKEY_decrypt_init, padding);
    const bool good = ctx != NULL && EVP_PKEY_decrypt(ctx, unwrapped, &length, wrapped.data, wrapped.length) == 1 &&
                      (length == 16 || length == 24 || length == 32);
    EVP_PKEY_CTX_free(ctx);
    if (good) {
        memcpy(aes_key, unwrapped, length);
        *key_bytes = length;
    }
    OPENSSL_cleanse(unwrapped, sizeof unwrapped);
    return good;
}

static bool has_space(ahk_slice s)
{
    return ahk_slice_has(s, '\n') || ahk_slice_has(s, '\r') || ahk_slice_has(s, ' ') || ahk_slice_has(s, '\t');
}

/* Takes base64 of at most `most` characters off the front of *in, and the white space that follows. Where
 * there is white space in it, the characters are moved together in `packed`, which has room for them. */
static ahk_slice take_base64(ahk_slice *in, char *packed, size_t most)
{
    ahk_slice taken = {in->data, in->length < most ? in->length : most};
    size_t at = taken.length;
    if (has_space(taken)) {
        size_t count = 0;
        for (at = 0; at < in->length && count < most; at++) {
            if (!ahk_is_space(in->data[at])) {
                packed[count++] = (char)in->data[at];
            }
        }
        taken = (ahk_slice){(const unsigned char *)packed, count};
    }
    while (at < in->length && ahk_is_space(in->data[at])) {
        at++;
    }
    *in = ahk_slice_from(*in, at);
    return taken;
}

static bool decrypt_body(EVP_CIPHER_CTX *ctx, ahk_slice in, ahk_plaintext *out)
{
    char packed[CHUNK_BASE64];
    unsigned char chunk[CHUNK];
    size_t written = 0;
    int n = 0;
    ahk_error ignored;
    while (in.length > 0) {
        const ahk_slice text = take_base64(&in, packed, sizeof packed);
        size_t decoded = 0;
        if (!ahk_base64_decode(text, chunk, &decoded, &ignored) || (in.length > 0 && decoded != CHUNK) ||
            EVP_DecryptUpdate(ctx, out->data + written, &n, chunk, (int)decoded) != 1) {
            return false;
        }
        written += (size_t)n;
    }
    if (EVP_DecryptFinal_ex(ctx, out->data + written, &n) != 1) {
        return false;
    }
    out->length = written + (size_t)n;
    return true;
}

/* `wrapped` is no base64 any more. */
static bool open_body(const ahk_key *key, ahk_slice body, ahk_slice wrapped, ahk_key_padding padding,
                      ahk_plaintext *out)
{
    unsigned char aes_key[AES_KEY_MAX] = {0};
    size_t key_bytes = 0;
    const bool unwrapped = unwrap_key(key, wrapped, padding, aes_key, &key_bytes);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const bool opened = ctx != NULL && EVP_DecryptInit_ex(ctx, aes_ecb(key_bytes), NULL, aes_key, NULL) == 1 &&
                        decrypt_body(ctx, body, out);
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(aes_key, sizeof aes_key);
    return unwrapped && opened;
}

bool ahk_open(const ahk_key *key, ahk_envelope in, ahk_key_padding padding, ahk_plaintext *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(in.body) && ahk_slice_is_valid(in.wrapped_key));
    AHK_REQUIRE(out->data != NULL);
    ERR_clear_error();
    char packed[AHK_WRAPPED_KEY_SIZE];
    unsigned char wrapped[AHK_BASE64_DECODED_SIZE(AHK_WRAPPED_KEY_SIZE)];
    size_t wrapped_length = 0;
    ahk_error ignored;
    const ahk_slice text = take_base64(&in.wrapped_key, packed, sizeof packed - 1);
    out->length = 0;
    const bool opened = key->type == AHK_KEY_RSA && key->half == AHK_HALF_PRIVATE && in.wrapped_key.length == 0 &&
                        ahk_base64_decode(text, wrapped, &wrapped_length, &ignored) &&
                        open_body(key, in.body, (ahk_slice){wrapped, wrapped_length}, padding, out);
    if (!opened) {
        OPENSSL_cleanse(out->data, AHK_OPENED_SIZE(in.body.length));
        out->length = 0;
    }
    ERR_clear_error();
    return opened;
}
