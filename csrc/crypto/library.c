#include "library.h"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <link.h>
#endif
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *name;
    void (*address)(void);
} function;

#define FUNCTION(name) #name, (void (*)(void))(name)

/* All that the core calls; spec/package/libcrypto_spec.lua compares it with the object's symbols. */
static const function FUNCTIONS[] = {
    {FUNCTION(OpenSSL_version_num)},
    {FUNCTION(ASN1_OBJECT_free)},
    {FUNCTION(ASN1_STRING_get0_data)},
    {FUNCTION(ASN1_STRING_length)},
    {FUNCTION(BIO_free)},
    {FUNCTION(BIO_new_mem_buf)},
    {FUNCTION(BN_CTX_end)},
    {FUNCTION(BN_CTX_free)},
    {FUNCTION(BN_CTX_get)},
    {FUNCTION(BN_CTX_secure_new)},
    {FUNCTION(BN_CTX_start)},
    {FUNCTION(BN_bin2bn)},
    {FUNCTION(BN_clear_free)},
    {FUNCTION(BN_cmp)},
    {FUNCTION(BN_is_one)},
    {FUNCTION(BN_is_zero)},
    {FUNCTION(BN_mod_mul)},
    {FUNCTION(BN_mul)},
    {FUNCTION(BN_nnmod)},
    {FUNCTION(BN_num_bits)},
    {FUNCTION(BN_sub)},
    {FUNCTION(BN_value_one)},
    {FUNCTION(CRYPTO_clear_free)},
    {FUNCTION(CRYPTO_free)},
    {FUNCTION(CRYPTO_malloc)},
    {FUNCTION(CRYPTO_secure_clear_free)},
    {FUNCTION(CRYPTO_secure_free)},
    {FUNCTION(CRYPTO_zalloc)},
    {FUNCTION(EC_GROUP_free)},
    {FUNCTION(EC_GROUP_get0_order)},
    {FUNCTION(EC_GROUP_new_by_curve_name)},
    {FUNCTION(EC_POINT_cmp)},
    {FUNCTION(EC_POINT_free)},
    {FUNCTION(EC_POINT_is_at_infinity)},
    {FUNCTION(EC_POINT_mul)},
    {FUNCTION(EC_POINT_new)},
    {FUNCTION(EC_POINT_oct2point)},
    {FUNCTION(EC_POINT_point2oct)},
    {FUNCTION(ERR_clear_error)},
    {FUNCTION(ERR_get_error)},
    {FUNCTION(ERR_peek_error)},
    {FUNCTION(ERR_reason_error_string)},
    {FUNCTION(EVP_CIPHER_CTX_free)},
    {FUNCTION(EVP_CIPHER_CTX_new)},
    {FUNCTION(EVP_DecryptFinal_ex)},
    {FUNCTION(EVP_DecryptInit_ex)},
    {FUNCTION(EVP_DecryptUpdate)},
    {FUNCTION(EVP_Digest)},
    {FUNCTION(EVP_DigestSign)},
    {FUNCTION(EVP_DigestSignInit)},
    {FUNCTION(EVP_DigestVerify)},
    {FUNCTION(EVP_DigestVerifyInit)},
    {FUNCTION(EVP_EncodeBlock)},
    {FUNCTION(EVP_EncryptFinal_ex)},
    {FUNCTION(EVP_EncryptInit_ex)},
    {FUNCTION(EVP_EncryptUpdate)},
    {FUNCTION(EVP_MD_CTX_copy_ex)},
    {FUNCTION(EVP_MD_CTX_free)},
    {FUNCTION(EVP_MD_CTX_new)},
    {FUNCTION(EVP_MD_CTX_reset)},
    {FUNCTION(EVP_MD_CTX_set_flags)},
    {FUNCTION(EVP_PKEY_CTX_free)},
    {FUNCTION(EVP_PKEY_CTX_new)},
    {FUNCTION(EVP_PKEY_decrypt)},
    {FUNCTION(EVP_PKEY_decrypt_init)},
    {FUNCTION(EVP_PKEY_encrypt)},
    {FUNCTION(EVP_PKEY_encrypt_init)},
    {FUNCTION(EVP_PKEY_free)},
    {FUNCTION(EVP_PKEY_sign)},
    {FUNCTION(EVP_PKEY_sign_init)},
    {FUNCTION(EVP_PKEY_verify)},
    {FUNCTION(EVP_PKEY_verify_init)},
    {FUNCTION(EVP_aes_128_ecb)},
    {FUNCTION(EVP_aes_192_ecb)},
    {FUNCTION(EVP_aes_256_ecb)},
    {FUNCTION(EVP_sha224)},
    {FUNCTION(EVP_sha256)},
    {FUNCTION(OBJ_nid2sn)},
    {FUNCTION(OBJ_obj2nid)},
    {FUNCTION(OPENSSL_cleanse)},
    {FUNCTION(PEM_do_header)},
    {FUNCTION(PEM_get_EVP_CIPHER_INFO)},
    {FUNCTION(PEM_read_bio_ex)},
    {FUNCTION(PKCS12_pbe_crypt)},
    {FUNCTION(RAND_bytes)},
    {FUNCTION(RAND_priv_bytes)},
    {FUNCTION(X509_SIG_free)},
    {FUNCTION(X509_SIG_get0)},
    {FUNCTION(d2i_ASN1_OBJECT)},
    {FUNCTION(d2i_X509_SIG)},
    {FUNCTION(i2d_PUBKEY)},
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
    {FUNCTION(BN_bn2nativepad)},
    {FUNCTION(EVP_PKEY_CTX_new_from_name)},
    {FUNCTION(EVP_PKEY_CTX_set_rsa_padding)},
    {FUNCTION(EVP_PKEY_dup)},
    {FUNCTION(EVP_PKEY_eq)},
    {FUNCTION(EVP_PKEY_fromdata)},
    {FUNCTION(EVP_PKEY_fromdata_init)},
    {FUNCTION(EVP_PKEY_get_base_id)},
    {FUNCTION(EVP_PKEY_get_bits)},
    {FUNCTION(EVP_PKEY_get_size)},
    {FUNCTION(OSSL_PARAM_construct_BN)},
    {FUNCTION(OSSL_PARAM_construct_end)},
    {FUNCTION(OSSL_PARAM_construct_octet_string)},
    {FUNCTION(OSSL_PARAM_construct_utf8_string)},
#else
    {FUNCTION(EVP_PKEY_assign)},
    {FUNCTION(EC_KEY_free)},
    {FUNCTION(EC_KEY_new_by_curve_name)},
    {FUNCTION(EC_KEY_set_private_key)},
    {FUNCTION(EC_KEY_set_public_key)},
    {FUNCTION(EVP_PKEY_base_id)},
    {FUNCTION(EVP_PKEY_bits)},
    {FUNCTION(EVP_PKEY_cmp)},
    {FUNCTION(EVP_PKEY_new)},
    {FUNCTION(EVP_PKEY_size)},
    {FUNCTION(EVP_PKEY_up_ref)},
    {FUNCTION(RSA_free)},
    {FUNCTION(RSA_new)},
    {FUNCTION(RSA_set0_crt_params)},
    {FUNCTION(RSA_set0_factors)},
    {FUNCTION(RSA_set0_key)},
#endif
};

enum { FUNCTION_COUNT = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

static const char CURE[] = "build it against the OpenSSL that the program uses (make OPENSSL_DIR=...), "
                           "or with one of its own (make STATIC_OPENSSL=1)";

static bool find_file(void (*address)(void), Dl_info *info)
{
    return dladdr((const void *)address, info) != 0 && info->dli_fname != NULL;
}

/* A program that is not position-independent has a stand-in for each function whose address it takes: a
 * symbol that it does not define. The function behind it is the library's all the same. */
static bool is_stand_in(void (*address)(void))
{
#ifdef __GLIBC__
    Dl_info info;
    void *symbol = NULL;
    if (dladdr1((const void *)address, &info, &symbol, RTLD_DL_SYMENT) != 0 && symbol != NULL) {
        return ((const ElfW(Sym) *)symbol)->st_shndx == SHN_UNDEF;
    }
#endif
    (void)address;
    return false;
}

/* The first function whose file can be told; NULL where there is none. */
static const function *find_first(Dl_info *info)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        if (find_file(FUNCTIONS[i].address, info) && !is_stand_in(FUNCTIONS[i].address)) {
            return &FUNCTIONS[i];
        }
    }
    return NULL;
}

/* The loader knows the program itself by its first argument alone, which nginx overwrites. */
static const char *file_name(const Dl_info *info, char *buffer, size_t size)
{
    if (strchr(info->dli_fname, '/') != NULL && strchr(info->dli_fname, ' ') == NULL) {
        return info->dli_fname;
    }
    const ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
    if (length <= 0) {
        return info->dli_fname;
    }
    buffer[length] = '\0';
    return buffer;
}

static bool check_one_library(const function *first, const Dl_info *first_file, ahk_error *err)
{
    for (const function *f = first + 1; f < FUNCTIONS + FUNCTION_COUNT; f++) {
        Dl_info file;
        if (!find_file(f->address, &file) || file.dli_fbase == first_file->dli_fbase || is_stand_in(f->address)) {
            continue;
        }
        char one[256];
        char other[256];
        return ahk_fail(err, "OpenSSL comes from two files: %s from %s, %s from %s; %s", first->name,
                        file_name(first_file, one, sizeof one), f->name, file_name(&file, other, sizeof other), CURE);
    }
    return true;
}

/* From 3.0 on a later minor version keeps the ABI of an earlier one; before that, all of 1.1.1 does. */
static bool fits(unsigned long version)
{
    const unsigned long mine = (unsigned long)OPENSSL_VERSION_NUMBER;
    if (mine >= 0x30000000UL) {
        return version >> 28 == mine >> 28 && version >> 20 >= mine >> 20;
    }
    return version >> 12 == mine >> 12;
}

static bool check_version(const Dl_info *file, ahk_error *err)
{
    const unsigned long version = OpenSSL_version_num();
    if (fits(version)) {
        return true;
    }
    Dl_info self;
    const bool known = find_file((void (*)(void))ahk_check_libcrypto, &self);
    char library[256];
    return ahk_fail(err, "%s was compiled for OpenSSL %lu.%lu, but gets version %lu.%lu from %s; %s",
                    known ? self.dli_fname : "this module", (unsigned long)OPENSSL_VERSION_NUMBER >> 28,
                    (unsigned long)OPENSSL_VERSION_NUMBER >> 20 & 0xff, version >> 28, version >> 20 & 0xff,
                    file_name(file, library, sizeof library), CURE);
}

bool ahk_check_libcrypto(ahk_error *err)
{
    Dl_info file;
    const function *first = find_first(&file);
    if (first == NULL) {
        return true; /* a static program: there is nothing to mix */
    }
    return check_one_library(first, &file, err) && check_version(&file, err);
}
