/* One request and its answer, over libcurl: all that belongs to this transfer and to no other. */
#ifndef AHK_EXCHANGE_H
#define AHK_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/buffer.h"
#include "../base/contract.h"
#include "../base/error.h"
#include "connections.h"
#include "head.h"
#include "links.h"
#include "request.h"

/* Milliseconds from the start; what did not happen (a kept connection has no handshake) is 0. */
typedef struct {
    double dns;
    double connect;
    double tls;
    double first_byte;
    double total;
} ahk_timing;

typedef enum {
    AHK_SENT,
    AHK_FAILED_DNS, /* these three and PROXY: nothing was sent */
    AHK_FAILED_CONNECT,
    AHK_FAILED_TLS,
    AHK_FAILED_PROXY,
    AHK_FAILED_TIMEOUT,
    AHK_FAILED_RESET,
    AHK_FAILED_TOO_LARGE,
    AHK_FAILED_PROTOCOL
} ahk_outcome;

/* Zeroed: none. Its memory is its own: no other exchange, and no transport that is closed meanwhile, touches it. */
typedef struct {
    struct curl_slist *headers; /* of the request */
    ahk_head head;
    ahk_buffer body;
    long status;       /* of the answer */
    long proxy_status; /* of the proxy that refused, else 0 */
    ahk_timing timing;
    ahk_buffer chain;    /* where that was asked for: the server's certificates, "subject\nexpiry\n" each */
    const char *spoken;  /* the same: the version of HTTP, NULL where it is none that is known */
    bool is_inspected;   /* whether that was asked for */
    bool has_begun;      /* some of the request may have left */
    bool no_descriptors; /* that is why it failed: nothing was sent */

    /* While it runs. libcurl's handle is a new one each time: used again after a broken answer, 7.88 reads what it has
     * freed. */
    CURL *easy;
    const ahk_connections *connections; /* of a transport, which has one exchange at a time; or else */
    ahk_links *links;                   /* those of many at once */
    unsigned long link_id;              /* of these the one it runs on, 0 until that is known */
    const ahk_request *request;
    size_t sent;             /* bytes of the body that libcurl has taken */
    double started;          /* seconds of the monotonic clock */
    double first_byte;       /* the same, 0 before it */
    const void *tls_session; /* libcurl's */
    bool is_multiplexed;     /* HTTP/2; false while that is not known */
    bool is_fresh;           /* must not use a kept connection */
    int resends;             /* how often it was sent again: what was sent before may have arrived */
    bool has_opened;         /* a connection: it does not use a kept one */
    curl_socket_t socket;    /* the last that it opened */
    bool is_connected;       /* that one */
    bool was_poisoned;       /* the kept connection had ended, or had bytes on it, before the request left */
    bool was_crossed;        /* an answer was on its way before the request had arrived */
    bool has_surplus;        /* the answer had more bytes than it said */
    char issuer[256];        /* of the certificate that was not trusted */
    char detail[CURL_ERROR_SIZE];
} ahk_exchange;

/* Sends, waits, judges. The connections are ready. May be run again when nothing was sent. */
AHK_MUST_USE ahk_outcome ahk_exchange_run(ahk_exchange *exchange, ahk_connections *connections,
                                          const ahk_request *request, ahk_error *err);

/* The same in two halves, for many at once. After the first, which is false where nothing could be made ready, `easy`
 * is to be driven; with libcurl's result the second judges, and `easy` is gone. */
AHK_MUST_USE bool ahk_exchange_start(ahk_exchange *exchange, ahk_links *links, const ahk_request *request,
                                     ahk_error *err);
/* Between the two, after each step: notes whether its connection is made. */
void ahk_exchange_look(ahk_exchange *exchange);

AHK_MUST_USE ahk_outcome ahk_exchange_finish(ahk_exchange *exchange, CURLcode code, ahk_error *err);

/* Drops `easy`, whatever became of it. */
void ahk_exchange_cancel(ahk_exchange *exchange);

/* Makes it ready for another request. Keeps memory that this is likely to need, as far as that is little. */
void ahk_exchange_clear(ahk_exchange *exchange);

void ahk_exchange_free(ahk_exchange *exchange);

#endif
