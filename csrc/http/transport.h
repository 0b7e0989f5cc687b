/* One signed POST at a time over libcurl, on connections that are kept.
 *
 * A transport belongs to one thread. After a fork the child abandons what it inherited: to close a
 * shared TLS connection would say goodbye in the parent's name. */
#ifndef AHK_TRANSPORT_H
#define AHK_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"
#include "../base/slice.h"

#define AHK_HEADERS_MAX ((size_t)64 * 1024)
#define AHK_HEADER_COUNT_MAX 100

typedef struct ahk_transport ahk_transport;

/* NULL strings are defaults. All of it is read during ahk_transport_send alone. */
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
} ahk_request;

/* Milliseconds from the start; what did not happen (a kept connection has no handshake) is 0. */
typedef struct {
    double dns;
    double connect;
    double tls;
    double first_byte;
    double total;
} ahk_timing;

typedef struct {
    long status;
    ahk_slice body;    /* these two stay until the transport's next use */
    ahk_slice headers; /* of the final answer, as received, a line each */
    ahk_timing timing;
} ahk_response;

typedef enum {
    AHK_SENT,
    AHK_FAILED_DNS,
    AHK_FAILED_CONNECT,
    AHK_FAILED_TLS,
    AHK_FAILED_TIMEOUT,
    AHK_FAILED_RESET,
    AHK_FAILED_TOO_LARGE,
    AHK_FAILED_PROTOCOL
} ahk_outcome;

/* No I/O. NULL when memory is short. */
ahk_transport *ahk_transport_new(void);

/* NULL is fine. */
void ahk_transport_free(ahk_transport *transport);

/* Starts a request's headers anew. */
void ahk_transport_clear_headers(ahk_transport *transport);

/* False for a header that must not be sent: CR, LF or NUL in it, or a name that is no token. */
bool ahk_transport_add_header(ahk_transport *transport, ahk_slice name, ahk_slice value, ahk_error *err);

ahk_outcome ahk_transport_send(ahk_transport *transport, const ahk_request *request, ahk_response *response,
                               ahk_error *err);

/* Takes the next `name: value` off *lines; false at the end. */
bool ahk_headers_next(ahk_slice *lines, ahk_slice *name, ahk_slice *value);

#endif
