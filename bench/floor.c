/* The floor of the single figures: the same work with OpenSSL and libcurl alone, in the same process and run. Returns
 * seconds; raises on any failure. */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A signature over a ready digest, and its verification: the least that they can cost. */
typedef struct {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signing;
    EVP_PKEY_CTX *verifying;
    size_t digest_length;
    unsigned char signature[1024];
    size_t signature_length;
} signer;

static const unsigned char digest_at_hand[EVP_MAX_MD_SIZE] = {1, 2, 3};

static int signer_sign(signer *s)
{
    s->signature_length = sizeof s->signature;
    return EVP_PKEY_sign(s->signing, s->signature, &s->signature_length, digest_at_hand, s->digest_length) == 1;
}

static int signer_verify(signer *s)
{
    return EVP_PKEY_verify(s->verifying, s->signature, s->signature_length, digest_at_hand, s->digest_length) == 1;
}

static EVP_PKEY_CTX *context(EVP_PKEY *pkey, int (*init)(EVP_PKEY_CTX *), const EVP_MD *md)
{
    EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    const int good =
        ctx != NULL && init(ctx) == 1 && EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
        (EVP_PKEY_base_id(pkey) != EVP_PKEY_RSA || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1);
    return good ? ctx : NULL;
}

/* Signs once, untimed: the first signature of a key sets up its blinding. */
static int signer_open(signer *s, const char *path, const char *digest)
{
    const EVP_MD *md = EVP_get_digestbyname(digest);
    FILE *file = fopen(path, "rb");
    s->pkey = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    s->digest_length = (size_t)EVP_MD_size(md);
    if (file != NULL) {
        (void)fclose(file);
    }
    s->signing = context(s->pkey, EVP_PKEY_sign_init, md);
    s->verifying = context(s->pkey, EVP_PKEY_verify_init, md);
    return s->signing != NULL && s->verifying != NULL && signer_sign(s);
}

/* floor.signer(path of a PEM key, "sha256"): for floor.sign and floor.post. Lives as long as the run. */
static int floor_signer(lua_State *L)
{
    signer *s = lua_newuserdata(L, sizeof *s);
    return signer_open(s, luaL_checkstring(L, 1), luaL_checkstring(L, 2)) ? 1 : luaL_error(L, "floor.signer failed");
}

/* What is timed, and what it needs: a body and a wrapped key where there are such. */
typedef struct job {
    int (*once)(const struct job *);
    signer *s;
    const unsigned char *body;
    size_t length;
    const unsigned char *wrapped;
    size_t wrapped_length;
} job;

/* CPU seconds of a job's n times; n is the argument at `index`. */
static int timed(lua_State *L, const job *j, int index)
{
    const int n = (int)luaL_checkinteger(L, index);
    int good = j->s != NULL;
    const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; good && i < n; i++) {
        good = j->once(j);
    }
    lua_pushnumber(L, seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
    return good ? 1 : luaL_error(L, "OpenSSL failed");
}

static int sign(const job *j)
{
    return signer_sign(j->s);
}

/* floor.sign(signer, n): n signatures, CPU time. */
static int floor_sign(lua_State *L)
{
    const job j = {.once = sign, .s = lua_touserdata(L, 1)};
    return timed(L, &j, 2);
}

static int verify(const job *j)
{
    return signer_verify(j->s);
}

/* floor.verify(signer, n): n verifications of its last signature, CPU time. */
static int floor_verify(lua_State *L)
{
    const job j = {.once = verify, .s = lua_touserdata(L, 1)};
    return timed(L, &j, 2);
}

/* ---- RSA_AES ------------------------------------------------------------------------------------ */

enum { BODY_MAX = 64 * 1024, WRAPPED_MAX = 1024 };

static const unsigned char *text_at(lua_State *L, int index, size_t *length, size_t most)
{
    const char *text = luaL_checklstring(L, index, length);
    luaL_argcheck(L, *length <= most, index, "too long");
    return (const unsigned char *)text;
}

/* A random AES key, wrapped for the key's owner, and the body under it, both in base64. */
static int seal(const job *j)
{
    static unsigned char sealed[BODY_MAX + 32];
    static unsigned char text[2 * BODY_MAX];
    unsigned char key[32];
    unsigned char wrapped[WRAPPED_MAX];
    size_t wrapped_length = sizeof wrapped;
    int n = 0;
    int last = 0;
    EVP_PKEY_CTX *rsa = EVP_PKEY_CTX_new(j->s->pkey, NULL);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    const int good = RAND_bytes(key, sizeof key) == 1 && EVP_PKEY_encrypt_init(rsa) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
                     EVP_PKEY_encrypt(rsa, wrapped, &wrapped_length, key, sizeof key) == 1 &&
                     EVP_EncryptInit_ex(aes, EVP_aes_256_ecb(), NULL, key, NULL) == 1 &&
                     EVP_EncryptUpdate(aes, sealed, &n, j->body, (int)j->length) == 1 &&
                     EVP_EncryptFinal_ex(aes, sealed + n, &last) == 1;
    (void)EVP_EncodeBlock(text, wrapped, (int)wrapped_length);
    (void)EVP_EncodeBlock(text, sealed, n + last);
    EVP_PKEY_CTX_free(rsa);
    EVP_CIPHER_CTX_free(aes);
    return good;
}

/* floor.seal(signer, body, n): n times, CPU time. */
static int floor_seal(lua_State *L)
{
    job j = {.once = seal, .s = lua_touserdata(L, 1)};
    j.body = text_at(L, 2, &j.length, BODY_MAX);
    return timed(L, &j, 3);
}

/* An AES key unwrapped and a body under it opened, both decoded from base64. */
static int open_sealed(const job *j)
{
    static unsigned char sealed[2 * BODY_MAX];
    static unsigned char plain[2 * BODY_MAX];
    unsigned char raw[WRAPPED_MAX];
    unsigned char key[WRAPPED_MAX];
    size_t key_length = sizeof key;
    int n = 0;
    int last = 0;
    EVP_PKEY_CTX *rsa = EVP_PKEY_CTX_new(j->s->pkey, NULL);
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    int size = EVP_DecodeBlock(sealed, j->body, (int)j->length);
    for (size_t i = j->length; i > 0 && j->body[i - 1] == '='; i--) {
        size--;
    }
    const int good = EVP_DecodeBlock(raw, j->wrapped, (int)j->wrapped_length) > 0 && EVP_PKEY_decrypt_init(rsa) == 1 &&
                     EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
                     EVP_PKEY_decrypt(rsa, key, &key_length, raw, (size_t)EVP_PKEY_size(j->s->pkey)) == 1 &&
                     EVP_DecryptInit_ex(aes, EVP_aes_256_ecb(), NULL, key, NULL) == 1 &&
                     EVP_DecryptUpdate(aes, plain, &n, sealed, size) == 1 &&
                     EVP_DecryptFinal_ex(aes, plain + n, &last) == 1;
    EVP_PKEY_CTX_free(rsa);
    EVP_CIPHER_CTX_free(aes);
    return good;
}

/* floor.open(signer, body, wrapped key, n): n times, CPU time. */
static int floor_open(lua_State *L)
{
    job j = {.once = open_sealed, .s = lua_touserdata(L, 1)};
    j.body = text_at(L, 2, &j.length, BODY_MAX);
    j.wrapped = text_at(L, 3, &j.wrapped_length, WRAPPED_MAX);
    return timed(L, &j, 4);
}

/* ---- a call ------------------------------------------------------------------------------------- */

static size_t ignore(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static CURL *kept = NULL;

/* floor.post(url, CA file, body, { "Name: value", ... }, n, signer): n times one signature, one POST on a kept handle
 * and one verification, wall time. */
static int floor_post(lua_State *L)
{
    size_t length = 0;
    const char *url = luaL_checkstring(L, 1);
    const char *ca = luaL_checkstring(L, 2);
    const char *body = luaL_checklstring(L, 3, &length);
    const int n = (int)luaL_checkinteger(L, 5);
    signer *s = lua_touserdata(L, 6);
    int good = s != NULL;
    struct curl_slist *headers = NULL;
    for (int i = 1;; i++) {
        lua_rawgeti(L, 4, i);
        if (lua_isnil(L, -1)) {
            break;
        }
        headers = curl_slist_append(headers, lua_tostring(L, -1));
    }
    if (kept == NULL) {
        kept = curl_easy_init();
    }
    (void)curl_easy_setopt(kept, CURLOPT_URL, url);
    (void)curl_easy_setopt(kept, CURLOPT_CAINFO, ca);
    (void)curl_easy_setopt(kept, CURLOPT_POSTFIELDS, body);
    (void)curl_easy_setopt(kept, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
    (void)curl_easy_setopt(kept, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(kept, CURLOPT_WRITEFUNCTION, ignore);
    (void)curl_easy_setopt(kept, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    long status = 200;
    CURLcode code = CURLE_OK;
    const double start = seconds(CLOCK_MONOTONIC);
    for (int i = 0; good && code == CURLE_OK && status == 200 && i < n; i++) {
        good = signer_sign(s);
        code = curl_easy_perform(kept);
        good = good && signer_verify(s);
        (void)curl_easy_getinfo(kept, CURLINFO_RESPONSE_CODE, &status);
    }
    const double spent = seconds(CLOCK_MONOTONIC) - start;
    (void)curl_easy_setopt(kept, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (!good || code != CURLE_OK || status != 200) {
        return luaL_error(L, "floor.post: %s, HTTP %d", curl_easy_strerror(code), (int)status);
    }
    lua_pushnumber(L, spent);
    return 1;
}

int luaopen_floor(lua_State *L);

__attribute__((visibility("default"))) int luaopen_floor(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, floor_signer);
    lua_setfield(L, -2, "signer");
    lua_pushcfunction(L, floor_sign);
    lua_setfield(L, -2, "sign");
    lua_pushcfunction(L, floor_verify);
    lua_setfield(L, -2, "verify");
    lua_pushcfunction(L, floor_seal);
    lua_setfield(L, -2, "seal");
    lua_pushcfunction(L, floor_open);
    lua_setfield(L, -2, "open");
    lua_pushcfunction(L, floor_post);
    lua_setfield(L, -2, "post");
    return 1;
}
