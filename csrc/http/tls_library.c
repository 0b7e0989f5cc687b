#include "tls_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "../base/contract.h"

typedef int verify_callback(int preverified, void *store_context);

/* Functions of libssl and libcrypto; NULL for one that is missing. */
static struct {
    void (*clear_error)(void);
    int (*has_pending)(const void *ssl);
    void (*get_alpn_selected)(const void *ssl, const unsigned char **name, unsigned int *length);
    int (*get_verify_mode)(const void *ctx);
    verify_callback *(*get_verify_callback)(const void *ctx);
    void (*set_verify)(void *ctx, int mode, verify_callback *callback);
    void *(*get_current_cert)(const void *store_context);
    void *(*get_issuer_name)(const void *certificate);
    char *(*name_oneline)(const void *name, char *buffer, int size);
} library;

static void *find(void *handle, const char *name)
{
    return handle != NULL ? dlsym(handle, name) : NULL;
}

/* dlsym on libcurl's handle also searches the libraries that libcurl was linked with. */
static void *open_libcurl(void)
{
    Dl_info where;
    void *known = NULL;
    curl_version_info_data *(*const of_libcurl)(CURLversion) = curl_version_info;
    memcpy(&known, &of_libcurl, sizeof known);
    if (dladdr(known, &where) == 0 || where.dli_fname == NULL) {
        return NULL;
    }
    return dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

/* ISO C has no cast from an object pointer to a function pointer. */
static void load_function(void *function, void *handle, const char *name)
{
    void *found = find(handle, name);
    memcpy(function, &found, sizeof found);
}

static void load(void)
{
    void *handle = open_libcurl(); /* never closed: libcurl stays loaded anyway */
    load_function(&library.clear_error, handle, "ERR_clear_error");
    load_function(&library.has_pending, handle, "SSL_has_pending");
    if (library.has_pending == NULL) {
        load_function(&library.has_pending, handle, "SSL_pending");
    }
    load_function(&library.get_alpn_selected, handle, "SSL_get0_alpn_selected");
    load_function(&library.get_verify_mode, handle, "SSL_CTX_get_verify_mode");
    load_function(&library.get_verify_callback, handle, "SSL_CTX_get_verify_callback");
    load_function(&library.set_verify, handle, "SSL_CTX_set_verify");
    load_function(&library.get_current_cert, handle, "X509_STORE_CTX_get_current_cert");
    load_function(&library.get_issuer_name, handle, "X509_get_issuer_name");
    load_function(&library.name_oneline, handle, "X509_NAME_oneline");
}

static void ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, load);
}

static struct curl_tlssessioninfo session_info(CURL *easy)
{
    struct curl_tlssessioninfo *info = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || info == NULL) {
        return (struct curl_tlssessioninfo){CURLSSLBACKEND_NONE, NULL};
    }
    return *info;
}

const void *ahk_tls_session(CURL *easy)
{
    const struct curl_tlssessioninfo info = session_info(easy);
    return info.backend == CURLSSLBACKEND_OPENSSL ? info.internals : NULL;
}

bool ahk_tls_has_unread(const void *session)
{
    ready();
    return session != NULL && library.has_pending != NULL && library.has_pending(session) != 0;
}

bool ahk_tls_has_agreed_on_h2(const void *session, bool otherwise)
{
    ready();
    if (session == NULL || library.get_alpn_selected == NULL) {
        return otherwise;
    }
    const unsigned char *name = NULL;
    unsigned int length = 0;
    library.get_alpn_selected(session, &name, &length);
    return length == 2 && memcmp(name, "h2", 2) == 0;
}

void ahk_tls_clear_errors(void)
{
    ready();
    if (library.clear_error != NULL) {
        library.clear_error();
    }
}

/* ---- who issued a certificate that fails ------------------------------------------------------- */

/* Per thread, because OpenSSL passes no data of ours to the callback, and a transfer stays in one thread. */
static _Thread_local struct {
    char *text;
    size_t size;
} issuer_note;

static int on_verify(int preverified, void *store_context)
{
    if (preverified == 0 && issuer_note.text != NULL) {
        const void *certificate = library.get_current_cert(store_context);
        const void *name = certificate != NULL ? library.get_issuer_name(certificate) : NULL;
        if (name != NULL) {
            (void)library.name_oneline(name, issuer_note.text, (int)issuer_note.size);
        }
    }
    return preverified; /* unchanged: OpenSSL decides */
}

static CURLcode on_context(CURL *easy, void *context, void *user)
{
    (void)easy;
    (void)user;
    /* The mode stays libcurl's: since 8.23 it asks for the result when the handshake is over. */
    if (library.get_verify_callback(context) == NULL) {
        library.set_verify(context, library.get_verify_mode(context), on_verify);
    }
    return CURLE_OK;
}

void ahk_tls_note_issuer(char *issuer, size_t size)
{
    AHK_REQUIRE(issuer_note.text == NULL && issuer != NULL && size > 0);
    issuer[0] = '\0';
    issuer_note.text = issuer;
    issuer_note.size = size;
}

void ahk_tls_watch_issuer(CURL *easy)
{
    ready();
    const bool whole = library.get_verify_mode != NULL && library.get_verify_callback != NULL &&
                       library.set_verify != NULL && library.get_current_cert != NULL &&
                       library.get_issuer_name != NULL && library.name_oneline != NULL;
    if (whole && session_info(easy).backend == CURLSSLBACKEND_OPENSSL) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    }
}

void ahk_tls_forget_issuer(void)
{
    issuer_note.text = NULL;
    issuer_note.size = 0;
}
