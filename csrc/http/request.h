/* What is to be sent, and how. */
#ifndef AHK_REQUEST_H
#define AHK_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

/* NULL strings are defaults. All of it is read while it is sent, and no longer. */
typedef struct {
    const char *url;
    ahk_slice body;
    long connect_timeout_ms;
    long timeout_ms; /* from start to end */
    size_t max_response_bytes;
    const char *ca_file;
    const char *client_cert;
    const char *client_key;
    const char *pinned_public_key;
    bool tls_1_3;           /* at least that; otherwise at least 1.2 */
    const char *proxy;      /* NULL: none, whatever the environment says */
    bool proxy_environment; /* take it from the environment */
    bool inspect;           /* note what the connection is like: see ahk_exchange */
    bool once;              /* must not be sent a second time, whatever became of the first */
} ahk_request;

/* Whether the URL is one of https://; of that or http://. */
bool ahk_request_is_tls(const ahk_request *request);
bool ahk_request_is_http(const ahk_request *request);

/* Whether a URL has nothing in it that could end the request line. */
bool ahk_request_is_one_word(const ahk_request *request);

/* The URL's path and query as they were signed, for libcurl; NULL where a proxy has to read the whole URL. */
const char *ahk_request_target(const ahk_request *request);

/* The URL of the proxy that it goes by, as far as the environment's exceptions (no_proxy) are no matter; NULL: none. */
const char *ahk_request_proxy(const ahk_request *request);

/* Starts the list of headers where it is empty. */
AHK_MUST_USE bool ahk_headers_begin(struct curl_slist **headers);

typedef enum { AHK_HEADER_TAKEN, AHK_HEADER_REFUSED, AHK_HEADER_NO_MEMORY } ahk_header_result;

/* Refuses a header that must not be sent: CR, LF or NUL in it, or a name that is no token; *err says which. */
AHK_MUST_USE ahk_header_result ahk_headers_add(struct curl_slist **headers, ahk_slice name, ahk_slice value,
                                               ahk_error *err);

#endif
