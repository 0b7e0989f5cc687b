#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#include <openssl/core_names.h>
#include <openssl/params.h>
#endif

#include "key_make.h"
#include "openssl_error.h"

enum { FIELD_BYTES = 28, POINT_BYTES = 1 + 2 * FIELD_BYTES };

typedef struct {
    EC_GROUP *group;
    BIGNUM *scalar; /* NULL in a public key */
    EC_POINT *point;
    unsigned char encoded[POINT_BYTES]; /* of the point, uncompressed */
} ec_key;

static void free_parts(ec_key *key)
{
    EC_POINT_free(key->point);
    BN_clear_free(key->scalar);
    EC_GROUP_free(key->group);
}

static bool is_refused_point(ec_key *key, ahk_slice given)
{
    return EC_POINT_oct2point(key->group, key->point, given.data, given.length, NULL) != 1 ||
           EC_POINT_is_at_infinity(key->group, key->point) == 1;
}

static bool read_scalar(ec_key *key, ahk_slice given, ahk_error *err)
{
    key->scalar = BN_bin2bn(given.data, (int)given.length, NULL);
    if (key->scalar == NULL) {
        return ahk_fail_openssl(err, "cannot hold the EC key");
    }
    if (BN_is_zero(key->scalar) || BN_cmp(key->scalar, EC_GROUP_get0_order(key->group)) >= 0) {
        return ahk_fail(err, "the EC key is unsound: its secret number is 0 or larger than the curve's order");
    }
    return true;
}

/* The private half says what the public half is; one that came with it has to agree. */
static bool derive_point(ec_key *key, ahk_slice given, ahk_error *err)
{
    BN_CTX *ctx = BN_CTX_secure_new();
    const bool done =
        ctx != NULL && EC_POINT_mul(key->group, key->point, key->scalar, NULL, NULL, ctx) == 1; /* scalar * generator */
    BN_CTX_free(ctx);
    if (!done) {
        return ahk_fail_openssl(err, "cannot check the EC key");
    }
    if (given.data == NULL) {
        return true;
    }
    ec_key other = {key->group, NULL, EC_POINT_new(key->group), {0}};
    const bool made = other.point != NULL;
    const bool same =
        made && !is_refused_point(&other, given) && EC_POINT_cmp(key->group, key->point, other.point, NULL) == 0;
    EC_POINT_free(other.point);
    if (!made || (!same && ahk_openssl_lacked_memory())) {
        return ahk_fail(err, "out of memory");
    }
    return same || ahk_fail(err, "the EC key is unsound: its private and public halves do not belong together");
}

static bool read_parts(const ahk_key_numbers *numbers, ec_key *key, ahk_error *err)
{
    key->group = EC_GROUP_new_by_curve_name(NID_secp224r1);
    if (key->group == NULL) {
        /* Some builds list P-224 and lack it: only making the group tells. */
        return ahk_fail_openssl(err, "no ECC224: this build of OpenSSL has no P-224");
    }
    key->point = EC_POINT_new(key->group);
    if (key->point == NULL) {
        return ahk_fail_openssl(err, "cannot hold the EC key");
    }
    if (numbers->half == AHK_HALF_PRIVATE) {
        if (!read_scalar(key, numbers->scalar, err) || !derive_point(key, numbers->point, err)) {
            return false;
        }
    } else if (is_refused_point(key, numbers->point)) {
        return ahk_fail_openssl(err, "the EC key is unsound: its point cannot be one of P-224's");
    }
    return EC_POINT_point2oct(key->group, key->point, POINT_CONVERSION_UNCOMPRESSED, key->encoded, sizeof key->encoded,
                              NULL) == sizeof key->encoded ||
           ahk_fail_openssl(err, "cannot hold the EC key");
}

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
static EVP_PKEY *make_pkey(ec_key *key)
{
    char curve[] = SN_secp224r1;
    unsigned char scalar[FIELD_BYTES];
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    const bool private = key->scalar != NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, key->encoded, sizeof key->encoded),
        OSSL_PARAM_construct_end(),
        OSSL_PARAM_construct_end(),
    };
    bool done = ctx != NULL;
    if (private) {
        done = done && BN_bn2nativepad(key->scalar, scalar, FIELD_BYTES) == FIELD_BYTES;
        params[2] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, scalar, sizeof scalar);
    }
    const int selection = private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (!done || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_cleanse(scalar, sizeof scalar);
    return pkey;
}
#else
static EVP_PKEY *make_pkey(ec_key *key)
{
    EC_KEY *ec = EC_KEY_new_by_curve_name(NID_secp224r1);
    EVP_PKEY *pkey = EVP_PKEY_new();
    const bool done = ec != NULL && pkey != NULL && EC_KEY_set_public_key(ec, key->point) == 1 &&
                      (key->scalar == NULL || EC_KEY_set_private_key(ec, key->scalar) == 1) &&
                      EVP_PKEY_assign_EC_KEY(pkey, ec) == 1;
    if (!done) {
        EC_KEY_free(ec);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}
#endif

EVP_PKEY *ahk_ec_make(const ahk_key_numbers *numbers, ahk_error *err)
{
    AHK_REQUIRE(numbers->type == AHK_KEY_EC);
    AHK_REQUIRE(numbers->half == AHK_HALF_PRIVATE ? numbers->scalar.data != NULL : numbers->point.data != NULL);
    ec_key key = {NULL, NULL, NULL, {0}};
    EVP_PKEY *pkey = NULL;
    if (read_parts(numbers, &key, err)) {
        pkey = make_pkey(&key);
        if (pkey == NULL) {
            (void)ahk_fail_openssl(err, "OpenSSL refuses the EC key");
        }
    }
    free_parts(&key);
    return pkey;
}
