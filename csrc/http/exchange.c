#include "exchange.h"

#include <string.h>

#include "../base/c_locale.h"
#include "../base/clock.h"
#include "callbacks.h"
#include "descriptors.h"
#include "tls_library.h"
#include "verdict.h"

enum {
    POLL_MS = 1000,
    BODY_KEPT_MAX = 64 * 1024, /* bytes, of an answer's buffer */
    CHAIN_MAX = 16 * 1024
};

void ahk_exchange_clear(ahk_exchange *exchange)
{
    AHK_REQUIRE(exchange->easy == NULL);
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    exchange->request = NULL;
    ahk_buffer_free(&exchange->chain);
    if (exchange->body.capacity > BODY_KEPT_MAX) {
        ahk_buffer_free(&exchange->body);
    }
}

void ahk_exchange_free(ahk_exchange *exchange)
{
    curl_slist_free_all(exchange->headers);
    ahk_head_free(&exchange->head);
    ahk_buffer_free(&exchange->body);
    ahk_buffer_free(&exchange->chain);
    *exchange = (ahk_exchange){0};
}

/* ---- one transfer ------------------------------------------------------------------------------- */

static CURLcode result_of(CURLM *multi, const CURL *easy)
{
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE && message->easy_handle == easy) {
            return message->data.result;
        }
    }
    return CURLE_OUT_OF_MEMORY; /* without a message it can have ended in no other way */
}

/* libcurl's own times show it only after the handshakes with the proxy and with TLS. */
void ahk_exchange_look(ahk_exchange *x)
{
    x->is_connected = x->is_connected || (x->socket != CURL_SOCKET_BAD && ahk_socket_is_connected(x->socket));
}

static CURLcode perform(CURLM *multi, ahk_exchange *x)
{
    int running = 0;
    CURLMcode code = curl_multi_add_handle(multi, x->easy);
    while (code == CURLM_OK) {
        code = curl_multi_perform(multi, &running);
        ahk_exchange_look(x);
        if (code != CURLM_OK || running == 0) {
            break;
        }
        code = curl_multi_poll(multi, NULL, 0, POLL_MS, NULL);
    }
    return code == CURLM_OK ? result_of(multi, x->easy) : CURLE_OUT_OF_MEMORY;
}

/* libcurl's error messages contain the system's, which in another locale may not be UTF-8. */
static CURLcode perform_in_english(CURLM *multi, ahk_exchange *x)
{
    locale_t before;
    const bool entered = ahk_c_locale_enter(&before);
    const CURLcode code = perform(multi, x);
    if (entered) {
        ahk_c_locale_leave(before);
    }
    return code;
}

static double milliseconds(CURL *easy, CURLINFO info)
{
    curl_off_t microseconds = 0;
    (void)curl_easy_getinfo(easy, info, &microseconds);
    return (double)microseconds / 1000.0;
}

/* CURLINFO_STARTTRANSFER_TIME is not used: with a body it is the time of the first byte sent, not received. */
static ahk_timing read_timing(const ahk_exchange *x)
{
    return (ahk_timing){
        .dns = milliseconds(x->easy, CURLINFO_NAMELOOKUP_TIME_T),
        .connect = x->has_opened ? milliseconds(x->easy, CURLINFO_CONNECT_TIME_T) : 0,
        .tls = x->has_opened ? milliseconds(x->easy, CURLINFO_APPCONNECT_TIME_T) : 0,
        .first_byte = x->first_byte > 0 ? (x->first_byte - x->started) * 1000 : 0,
        .total = (ahk_monotonic() - x->started) * 1000,
    };
}

/* Resets everything except the headers of the request, is_fresh, resends, and the memory that an earlier answer used.
 * False where libcurl has no handle to give: nothing was sent. */
static bool begin(ahk_exchange *x, const ahk_request *request, ahk_error *err)
{
    AHK_REQUIRE(x->easy == NULL); /* it does not run already */
    AHK_REQUIRE(request->timeout_ms > 0 && request->connect_timeout_ms > 0);
    *x = (ahk_exchange){
        .headers = x->headers,
        .head = x->head,
        .body = x->body,
        .chain = x->chain,
        .is_fresh = x->is_fresh,
        .resends = x->resends,
        .request = request,
        .started = ahk_monotonic(),
        .socket = CURL_SOCKET_BAD,
    };
    ahk_head_begin(&x->head);
    ahk_buffer_reset(&x->body, request->max_response_bytes);
    ahk_buffer_reset(&x->chain, CHAIN_MAX);
    x->easy = curl_easy_init();
    if (x->easy != NULL && ahk_headers_begin(&x->headers)) {
        return true;
    }
    ahk_exchange_cancel(x);
    return ahk_fail(err, "out of memory: nothing was sent");
}

static long read_long(CURL *easy, CURLINFO info)
{
    long value = 0;
    (void)curl_easy_getinfo(easy, info, &value);
    return value;
}

/* Some of libcurl's messages have line breaks. */
static void make_one_line(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && ahk_is_space((unsigned char)text[length - 1])) {
        text[--length] = '\0';
    }
    for (; *text != '\0'; text++) {
        if (*text == '\r' || *text == '\n' || *text == '\t') {
            *text = ' ';
        }
    }
}

/* What a certificate says under a name such as "Subject:". */
static const char *certified(const struct curl_slist *lines, const char *name)
{
    for (; lines != NULL; lines = lines->next) {
        if (strncmp(lines->data, name, strlen(name)) == 0) {
            return lines->data + strlen(name);
        }
    }
    return "";
}

/* What does not fit is left out. */
static void read_chain(ahk_exchange *x)
{
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(x->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL) {
        return;
    }
    bool fits = true;
    for (int i = 0; fits && i < chain->num_of_certs; i++) {
        const char *subject = certified(chain->certinfo[i], "Subject:");
        const char *expiry = certified(chain->certinfo[i], "Expire date:");
        fits = ahk_buffer_append(&x->chain, subject, strlen(subject)) && ahk_buffer_append(&x->chain, "\n", 1) &&
               ahk_buffer_append(&x->chain, expiry, strlen(expiry)) && ahk_buffer_append(&x->chain, "\n", 1);
    }
}

static void inspect(ahk_exchange *x)
{
    x->is_inspected = true;
    const long version = read_long(x->easy, CURLINFO_HTTP_VERSION);
    x->spoken = version == CURL_HTTP_VERSION_1_0   ? "1.0"
                : version == CURL_HTTP_VERSION_1_1 ? "1.1"
                : version == CURL_HTTP_VERSION_2_0 ? "2"
                                                   : NULL;
    read_chain(x);
}

static void read_results(ahk_exchange *x, CURLcode code)
{
    if (x->request->inspect) {
        inspect(x);
    }
    make_one_line(x->detail);
    x->status = read_long(x->easy, CURLINFO_RESPONSE_CODE);
    const long of_proxy = read_long(x->easy, CURLINFO_HTTP_CONNECTCODE);
    x->proxy_status = code != CURLE_OK && of_proxy != 0 && of_proxy / 100 != 2 ? of_proxy : 0;
    x->timing = read_timing(x);
    x->has_begun = x->has_begun || x->sent > 0;
#if LIBCURL_VERSION_NUM < 0x075000
    /* What newer versions tell on_ready. Some of those have a time here for a connection that was never made, too. */
    x->has_begun = x->has_begun || milliseconds(x->easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
#endif
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_OUT_OF_MEMORY) {
        x->no_descriptors = x->no_descriptors || !ahk_descriptors_left(AHK_DESCRIPTORS_AT_ONCE);
    }
    x->no_descriptors = x->no_descriptors && code != CURLE_OK && !x->has_begun;
}

void ahk_exchange_cancel(ahk_exchange *exchange)
{
    curl_easy_cleanup(exchange->easy);
    exchange->easy = NULL;
}

ahk_outcome ahk_exchange_run(ahk_exchange *exchange, ahk_connections *connections, const ahk_request *request,
                             ahk_error *err)
{
    AHK_REQUIRE(connections->multi != NULL && connections->sessions != NULL);
    if (!begin(exchange, request, err)) {
        return AHK_FAILED_CONNECT;
    }
    exchange->connections = connections;
    CURLcode code = ahk_callbacks_set(exchange, request);
    if (code == CURLE_OK) {
        ahk_tls_note_issuer(exchange->issuer, sizeof exchange->issuer);
        code = perform_in_english(connections->multi, exchange);
        ahk_tls_forget_issuer();
    }
    read_results(exchange, code);
    const ahk_outcome outcome = ahk_judge_transfer(exchange, code, err);
    const bool is_kept =
        outcome == AHK_SENT && !exchange->has_surplus &&
        ahk_connections_keep(connections, exchange->easy, exchange->tls_session, exchange->is_multiplexed);
    (void)curl_multi_remove_handle(connections->multi, exchange->easy);
    ahk_exchange_cancel(exchange);
    if (!is_kept) {
        ahk_connections_drop(connections);
    }
    ahk_tls_clear_errors();
    return outcome;
}

/* ---- many at once ------------------------------------------------------------------------------- */

bool ahk_exchange_start(ahk_exchange *exchange, ahk_links *links, const ahk_request *request, ahk_error *err)
{
    if (!begin(exchange, request, err)) {
        return false;
    }
    exchange->links = links;
    if (ahk_callbacks_set(exchange, request) == CURLE_OK) {
        return true;
    }
    ahk_exchange_cancel(exchange);
    return ahk_fail(err, "libcurl does not take an option: nothing was sent");
}

/* Whether a connection is not to be trusted after that. Streams of HTTP/2 fail alone; but where no answer comes, or the
 * connection breaks, that may be its fault. */
static bool is_trouble(const ahk_exchange *exchange, CURLcode code, ahk_outcome outcome)
{
    if (!exchange->is_multiplexed) {
        return outcome != AHK_SENT;
    }
    return outcome == AHK_FAILED_TIMEOUT || (outcome == AHK_FAILED_RESET && code != CURLE_HTTP2_STREAM);
}

ahk_outcome ahk_exchange_finish(ahk_exchange *exchange, CURLcode code, ahk_error *err)
{
    read_results(exchange, code);
    const ahk_outcome outcome = ahk_judge_transfer(exchange, code, err);
    ahk_link *link = ahk_links_by_id(exchange->links, exchange->link_id);
    if (link != NULL) {
        link->multiplexed = link->multiplexed || exchange->is_multiplexed;
        link->tainted = link->tainted || exchange->has_surplus || is_trouble(exchange, code, outcome);
        if (!link->tainted && !link->multiplexed) {
            ahk_socket_acknowledge(link->fd);
        }
    }
    ahk_exchange_cancel(exchange);
    return outcome;
}
