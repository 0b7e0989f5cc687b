#include <openssl/bn.h>
#include <openssl/rsa.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#include <openssl/params.h>
#endif

#include "key_make.h"
#include "openssl_error.h"

/* An exponent that some library could not work with (Windows, Go) is none that a service hands out. */
enum { EXPONENT_BITS_MAX = 64 };

/* ---- what can be told from the bytes ------------------------------------------------------------ */

/* Of a number without leading zeros. */
static int bits_of(ahk_slice number)
{
    int bits = 8 * (int)number.length;
    for (unsigned int top = number.length > 0 ? number.data[0] : 0x80; top < 0x80; top <<= 1) {
        bits--;
    }
    return bits;
}

static bool is_odd(ahk_slice number)
{
    return number.length > 0 && (number.data[number.length - 1] & 1) != 0;
}

static bool check_public(const ahk_slice *rsa, ahk_error *err)
{
    const int bits = bits_of(rsa[AHK_RSA_N]);
    if (bits < AHK_RSA_BITS_MIN || bits > AHK_RSA_BITS_MAX) {
        return ahk_fail(err, "the RSA key has %d bits; %d to %d are accepted (AlipayHK uses 2048)", bits,
                        AHK_RSA_BITS_MIN, AHK_RSA_BITS_MAX);
    }
    if (!is_odd(rsa[AHK_RSA_N])) {
        return ahk_fail(err, "the RSA key is unsound: its modulus is even (the key is damaged or forged)");
    }
    if (!is_odd(rsa[AHK_RSA_E]) || bits_of(rsa[AHK_RSA_E]) < 2) {
        return ahk_fail(err, "the RSA key is unsound: its public exponent has to be odd and at least 3 "
                             "(with another one anybody could sign)");
    }
    if (bits_of(rsa[AHK_RSA_E]) > EXPONENT_BITS_MAX) {
        return ahk_fail(err, "the RSA key's public exponent has %d bits; at most %d are accepted (65537 is usual)",
                        bits_of(rsa[AHK_RSA_E]), EXPONENT_BITS_MAX);
    }
    return true;
}

/* Out of proportion, a signature could take minutes. */
static bool check_sizes(const ahk_slice *rsa, ahk_error *err)
{
    const int n = bits_of(rsa[AHK_RSA_N]);
    const int p = bits_of(rsa[AHK_RSA_P]);
    const int q = bits_of(rsa[AHK_RSA_Q]);
    const bool plausible = p > 1 && q > 1 && p + q >= n && p + q <= n + 1 && is_odd(rsa[AHK_RSA_P]) &&
                           is_odd(rsa[AHK_RSA_Q]) && bits_of(rsa[AHK_RSA_D]) <= n && bits_of(rsa[AHK_RSA_DP]) <= p &&
                           bits_of(rsa[AHK_RSA_DQ]) <= q && bits_of(rsa[AHK_RSA_QINV]) <= p;
    return plausible || ahk_fail(err, "the RSA key is unsound: its primes or exponents are missing or do not fit "
                                      "its modulus in size");
}

/* ---- what takes arithmetic ---------------------------------------------------------------------- */

static void free_numbers(BIGNUM **numbers)
{
    for (int i = 0; i < AHK_RSA_NUMBERS; i++) {
        BN_clear_free(numbers[i]);
    }
}

static bool make_numbers(const ahk_slice *rsa, int count, BIGNUM **numbers)
{
    for (int i = 0; i < count; i++) {
        numbers[i] = BN_bin2bn(rsa[i].data, (int)rsa[i].length, NULL);
        if (numbers[i] == NULL) {
            return false;
        }
    }
    return true;
}

typedef enum { UNKNOWN, FITS, DIFFERS } relation;

static relation relate(bool computed, bool equal)
{
    return !computed ? UNKNOWN : equal ? FITS : DIFFERS;
}

/* Whether a * b = 1 (mod m). */
static relation is_inverse(const BIGNUM *a, const BIGNUM *b, const BIGNUM *m, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *product = BN_CTX_get(ctx);
    const bool computed = product != NULL && BN_mod_mul(product, a, b, m, ctx) == 1;
    const relation found = relate(computed, computed && BN_is_one(product));
    BN_CTX_end(ctx);
    return found;
}

/* Whether the parts of one prime fit: exponent = d (mod prime - 1), and it undoes e there. */
static relation prime_fits(BIGNUM *const *key, const BIGNUM *prime, const BIGNUM *exponent, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *order = BN_CTX_get(ctx);
    BIGNUM *reduced = BN_CTX_get(ctx);
    relation found = UNKNOWN;
    if (reduced != NULL && BN_sub(order, prime, BN_value_one()) == 1 &&
        BN_nnmod(reduced, key[AHK_RSA_D], order, ctx) == 1) {
        found = BN_cmp(reduced, exponent) == 0 ? is_inverse(exponent, key[AHK_RSA_E], order, ctx) : DIFFERS;
    }
    BN_CTX_end(ctx);
    return found;
}

static relation product_fits(BIGNUM *const *key, BN_CTX *ctx)
{
    BN_CTX_start(ctx);
    BIGNUM *product = BN_CTX_get(ctx);
    const bool computed = product != NULL && BN_mul(product, key[AHK_RSA_P], key[AHK_RSA_Q], ctx) == 1;
    const relation found = relate(computed, computed && BN_cmp(product, key[AHK_RSA_N]) == 0);
    BN_CTX_end(ctx);
    return found;
}

static bool check_private(BIGNUM *const *key, ahk_error *err)
{
    BN_CTX *ctx = BN_CTX_secure_new();
    relation found = UNKNOWN;
    if (ctx != NULL) {
        found = product_fits(key, ctx);
        found = found != FITS ? found : prime_fits(key, key[AHK_RSA_P], key[AHK_RSA_DP], ctx);
        found = found != FITS ? found : prime_fits(key, key[AHK_RSA_Q], key[AHK_RSA_DQ], ctx);
        found = found != FITS ? found : is_inverse(key[AHK_RSA_QINV], key[AHK_RSA_Q], key[AHK_RSA_P], ctx);
    }
    BN_CTX_free(ctx);
    if (found == UNKNOWN) {
        return ahk_fail_openssl(err, "cannot check the RSA key");
    }
    return found == FITS || ahk_fail(err, "the RSA key is unsound: its numbers do not belong together "
                                          "(it is damaged, or put together from two keys)");
}

/* ---- OpenSSL's key ------------------------------------------------------------------------------ */

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
/* All numbers side by side in one buffer, in the byte order of this machine. */
static EVP_PKEY *make_pkey(BIGNUM **key, int count)
{
    static const char *const names[AHK_RSA_NUMBERS] = {
        [AHK_RSA_N] = OSSL_PKEY_PARAM_RSA_N,          [AHK_RSA_E] = OSSL_PKEY_PARAM_RSA_E,
        [AHK_RSA_D] = OSSL_PKEY_PARAM_RSA_D,          [AHK_RSA_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
        [AHK_RSA_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,    [AHK_RSA_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
        [AHK_RSA_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2, [AHK_RSA_QINV] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    const size_t room = (size_t)AHK_RSA_NUMBERS * AHK_RSA_BITS_MAX / 8;
    unsigned char *bytes = OPENSSL_malloc(room);
    OSSL_PARAM params[AHK_RSA_NUMBERS + 1];
    size_t used = 0;
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    bool done = bytes != NULL && ctx != NULL;
    for (int i = 0; done && i < count; i++) {
        const int length = BN_num_bytes(key[i]);
        done = BN_bn2nativepad(key[i], bytes + used, length) == length;
        params[i] = OSSL_PARAM_construct_BN(names[i], bytes + used, (size_t)length);
        used += (size_t)length;
    }
    params[count] = OSSL_PARAM_construct_end();
    const int selection = count == AHK_RSA_NUMBERS ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (!done || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_clear_free(bytes, room);
    return pkey;
}
#else
/* Hands three numbers over, which are the key's from then on. */
static bool give(int given, BIGNUM **a, BIGNUM **b, BIGNUM **c)
{
    if (given == 1) {
        *a = *b = *c = NULL;
    }
    return given == 1;
}

static EVP_PKEY *make_pkey(BIGNUM **key, int count)
{
    BIGNUM **n = &key[AHK_RSA_N], **e = &key[AHK_RSA_E], **d = &key[AHK_RSA_D], **p = &key[AHK_RSA_P];
    BIGNUM **q = &key[AHK_RSA_Q], **dp = &key[AHK_RSA_DP], **dq = &key[AHK_RSA_DQ], **qinv = &key[AHK_RSA_QINV];
    BIGNUM *none = NULL;
    RSA *rsa = RSA_new();
    EVP_PKEY *pkey = EVP_PKEY_new();
    const bool private = count == AHK_RSA_NUMBERS;
    const bool done = rsa != NULL && pkey != NULL && give(RSA_set0_key(rsa, *n, *e, *d), n, e, d) &&
                      (!private || (give(RSA_set0_factors(rsa, *p, *q), p, q, &none) &&
                                    give(RSA_set0_crt_params(rsa, *dp, *dq, *qinv), dp, dq, qinv))) &&
                      EVP_PKEY_assign_RSA(pkey, rsa) == 1;
    if (!done) {
        RSA_free(rsa);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}
#endif

EVP_PKEY *ahk_rsa_make(const ahk_key_numbers *numbers, ahk_error *err)
{
    AHK_REQUIRE(numbers->type == AHK_KEY_RSA && numbers->half != AHK_HALF_NONE);
    const bool private = numbers->half == AHK_HALF_PRIVATE;
    const int count = private ? AHK_RSA_NUMBERS : AHK_RSA_E + 1;
    BIGNUM *key[AHK_RSA_NUMBERS] = {NULL};
    EVP_PKEY *pkey = NULL;
    if (!check_public(numbers->rsa, err) || (private && !check_sizes(numbers->rsa, err))) {
        return NULL;
    }
    if (!make_numbers(numbers->rsa, count, key)) {
        (void)ahk_fail_openssl(err, "cannot hold the RSA key");
    } else if (!private || check_private(key, err)) {
        pkey = make_pkey(key, count);
        if (pkey == NULL) {
            (void)ahk_fail_openssl(err, "OpenSSL refuses the RSA key");
        }
    }
    free_numbers(key);
    return pkey;
}
