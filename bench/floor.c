/* The floor that the benchmarks measure against: the same work with OpenSSL and libcurl alone, in the
 * same process and run. Returns seconds; raises on any failure. */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
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

/* A signature over a ready digest: the least that signing can cost. */
typedef struct {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;
    size_t digest_length;
} signer;

static int signer_sign(signer *s)
{
    static const unsigned char digest[EVP_MAX_MD_SIZE] = {1, 2, 3};
    unsigned char signature[1024];
    size_t length = sizeof signature;
    return EVP_PKEY_sign(s->ctx, signature, &length, digest, s->digest_length) == 1;
}

/* Signs once, untimed: the first signature of a key sets up its blinding. */
static int signer_open(signer *s, const char *path, const char *digest)
{
    const EVP_MD *md = EVP_get_digestbyname(digest);
    FILE *file = fopen(path, "rb");
    s->pkey = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    s->ctx = s->pkey != NULL ? EVP_PKEY_CTX_new(s->pkey, NULL) : NULL;
    s->digest_length = (size_t)EVP_MD_size(md);
    if (file != NULL) {
        (void)fclose(file);
    }
    if (s->ctx == NULL || EVP_PKEY_sign_init(s->ctx) != 1 || EVP_PKEY_CTX_set_signature_md(s->ctx, md) != 1) {
        return 0;
    }
    const int padded =
        EVP_PKEY_base_id(s->pkey) != EVP_PKEY_RSA || EVP_PKEY_CTX_set_rsa_padding(s->ctx, RSA_PKCS1_PADDING) == 1;
    return padded && signer_sign(s);
}

/* floor.signer(path of a PEM key, "sha256"): for floor.sign and floor.post. Lives as long as the run. */
static int floor_signer(lua_State *L)
{
    signer *s = lua_newuserdata(L, sizeof *s);
    return signer_open(s, luaL_checkstring(L, 1), luaL_checkstring(L, 2)) ? 1 : luaL_error(L, "floor.signer failed");
}

/* floor.sign(signer, n): n signatures, CPU time. */
static int floor_sign(lua_State *L)
{
    signer *s = lua_touserdata(L, 1);
    const int n = (int)luaL_checkinteger(L, 2);
    int good = s != NULL;
    const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; good && i < n; i++) {
        good = signer_sign(s);
    }
    lua_pushnumber(L, seconds(CLOCK_PROCESS_CPUTIME_ID) - start);
    return good ? 1 : luaL_error(L, "floor.sign failed");
}

static size_t ignore(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static CURL *kept = NULL;

/* floor.post(url, CA file, body, { "Name: value", ... }, n, signer): n times one signature and one POST
 * on a kept handle, wall time. */
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
    lua_pushcfunction(L, floor_post);
    lua_setfield(L, -2, "post");
    return 1;
}
