#include "options.h"

#include <string.h>

enum {
    KEEP_IDLE_SECONDS = 55,      /* nginx closes idle connections after 60 or 75 s: close earlier */
    KEEP_LIFETIME_SECONDS = 3600 /* check the server's certificate again every hour */
};

CURLM *ahk_options_multi(int most_kept)
{
    CURLM *multi = curl_multi_init();
    if (multi != NULL && curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)most_kept) != CURLM_OK) {
        (void)curl_multi_cleanup(multi);
        return NULL;
    }
#if LIBCURL_VERSION_NUM >= 0x081400
    /* As CURLOPT_QUICK_EXIT below: since then the resolver's threads are the multi handle's. */
    (void)curl_multi_setopt(multi, CURLMOPT_QUICK_EXIT, 1L);
#endif
    return multi;
}

static CURLcode set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static CURLcode set_lifetime(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075000
    return curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)KEEP_LIFETIME_SECONDS);
#else
    (void)easy;
    return CURLE_OK;
#endif
}

/* With TLS to the proxy there is a second TLS session, whose unread bytes cannot be seen: see connections.h. */
static bool is_tls_proxy(const ahk_request *r)
{
    const char *proxy = ahk_request_proxy(r);
    return proxy != NULL && strncmp(proxy, "https://", strlen("https://")) == 0;
}

static CURLcode set_connection(CURL *easy, const ahk_request *r)
{
    CURLcode code = set_protocols(easy);
    AHK_SETOPT(CURLOPT_NOSIGNAL, 1L);
    AHK_SETOPT(CURLOPT_FOLLOWLOCATION, 0L);
    AHK_SETOPT(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    AHK_SETOPT(CURLOPT_CONNECTTIMEOUT_MS, r->connect_timeout_ms);
    AHK_SETOPT(CURLOPT_TIMEOUT_MS, r->timeout_ms);
    AHK_SETOPT(CURLOPT_TCP_KEEPALIVE, 1L);
    AHK_SETOPT(CURLOPT_MAXAGE_CONN, (long)KEEP_IDLE_SECONDS);
    if (code == CURLE_OK) {
        code = set_lifetime(easy);
    }
    if (!r->proxy_environment) {
        AHK_SETOPT(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
        AHK_SETOPT(CURLOPT_NOPROXY, "");
    }
    AHK_SETOPT(CURLOPT_FORBID_REUSE, is_tls_proxy(r) ? 1L : 0L);
    AHK_SETOPT(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (code == CURLE_OK) {
        /* A libcurl without HTTP/2 refuses this, and uses 1.1. */
        (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
#if LIBCURL_VERSION_NUM >= 0x075700
        /* A resolver that does not answer is not waited for beyond the timeout. */
        (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    }
    return code;
}

static CURLcode set_tls(CURL *easy, const ahk_request *r)
{
    CURLcode code = CURLE_OK;
    AHK_SETOPT(CURLOPT_SSL_VERIFYPEER, 1L);
    AHK_SETOPT(CURLOPT_SSL_VERIFYHOST, 2L);
    AHK_SETOPT(CURLOPT_SSLVERSION, (long)(r->tls_1_3 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    if (r->ca_file != NULL) {
        AHK_SETOPT(CURLOPT_CAINFO, r->ca_file);
        AHK_SETOPT(CURLOPT_CAPATH, NULL); /* that file and nothing else */
    }
    AHK_SETOPT(CURLOPT_SSLCERT, r->client_cert);
    AHK_SETOPT(CURLOPT_SSLKEY, r->client_key);
    AHK_SETOPT(CURLOPT_KEYPASSWD, ""); /* for an encrypted key: fail, do not ask at the terminal */
    AHK_SETOPT(CURLOPT_PINNEDPUBLICKEY, r->pinned_public_key);
    if (code == CURLE_OK) {
        (void)curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L); /* read by explain.c */
    }
    return code;
}

CURLcode ahk_options_set(CURL *easy, const ahk_request *request)
{
    AHK_REQUIRE(easy != NULL && request->url != NULL);
    const CURLcode code = set_connection(easy, request);
    return code == CURLE_OK ? set_tls(easy, request) : code;
}
