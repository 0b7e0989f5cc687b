#include "exchange.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/c_locale.h"
#include "../base/clock.h"
#include "descriptors.h"
#include "options.h"
#include "tls_library.h"
#include "verdict.h"

enum {
    POLL_MS = 1000,
    LOOKUP_DESCRIPTORS = 4 /* open at once while a name is looked up */
};

void ahk_exchange_free(ahk_exchange *exchange)
{
    curl_slist_free_all(exchange->headers);
    ahk_head_free(&exchange->head);
    ahk_buffer_free(&exchange->body);
    *exchange = (ahk_exchange){0};
}

/* ---- libcurl's callbacks: C only, no Lua while a transfer runs ---------------------------------- */

/* Whether the connection, where it is a kept one, has nothing on it that would be taken for our answer. One that cannot
 * be told from others is not used. */
static bool is_quiet(const ahk_exchange *x)
{
    if (x->has_opened) {
        return true;
    }
    if (x->links == NULL) {
        return ahk_connections_are_quiet(x->connections);
    }
    const ahk_link *link = ahk_links_by_id(x->links, x->link_id);
    return link != NULL && ahk_link_is_quiet(link, ahk_tls_session(x->easy));
}

static bool is_acknowledged(const ahk_exchange *x)
{
    if (x->links == NULL) {
        return ahk_connections_are_acknowledged(x->connections);
    }
    const ahk_link *link = ahk_links_by_id(x->links, x->link_id);
    return link != NULL && (link->multiplexed || ahk_socket_is_acknowledged(link->fd));
}

static curl_socket_t on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    ahk_exchange *x = user;
    (void)purpose;
    x->has_opened = true;
    const int fd = ahk_socket(address->family, address->socktype, address->protocol);
    if (fd < 0) {
        x->no_descriptors = errno == EMFILE || errno == ENFILE;
        return CURL_SOCKET_BAD;
    }
    /* libcurl opens the CA file next, and without a descriptor for it would report it as missing. */
    if (ahk_request_is_tls(x->request) && !ahk_descriptors_left(1)) {
        x->no_descriptors = true;
        (void)close(fd);
        return CURL_SOCKET_BAD;
    }
    if (x->links != NULL && !ahk_links_add(x->links, fd)) {
        (void)close(fd);
        return CURL_SOCKET_BAD;
    }
    x->socket = fd;
    return fd;
}

#if LIBCURL_VERSION_NUM >= 0x075000
/* The connection is ready and the request is about to be sent. See read_results for older versions of libcurl. */
static int on_ready(void *user, char *to, char *from, int to_port, int from_port)
{
    ahk_exchange *x = user;
    (void)to;
    (void)from;
    (void)to_port;
    if (x->links != NULL) {
        const ahk_link *link = ahk_links_by_port(x->links, from_port);
        x->link_id = link != NULL ? link->id : 0;
        x->was_poisoned = !is_quiet(x);
        if (x->was_poisoned) {
            return CURL_PREREQFUNC_ABORT;
        }
    }
    x->has_begun = true;
    return CURL_PREREQFUNC_OK;
}
#endif

/* libcurl asks for bytes of the body. Without its body a request is incomplete, so before the first byte a kept
 * connection can still be rejected. */
static size_t on_send(char *out, size_t size, size_t count, void *user)
{
    ahk_exchange *x = user;
    if (x->sent == 0 && !is_quiet(x)) {
        x->was_poisoned = true;
        return CURL_READFUNC_ABORT;
    }
    const ahk_slice body = x->request->body;
    const size_t room = size * count;
    const size_t unsent = body.length - x->sent;
    const size_t n = unsent < room ? unsent : room;
    if (n > 0) {
        memcpy(out, body.data + x->sent, n);
    }
    x->sent += n;
    return n;
}

/* libcurl rewinds the body to send it again where a kept connection turns out to be dead. Refused once a part of it was
 * sent, so that libcurl never sends a request twice by itself. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    const ahk_exchange *x = user;
    return offset == 0 && origin == SEEK_SET && x->sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    ahk_exchange *x = user;
    const size_t length = size * count;
    return ahk_buffer_append(&x->body, data, length) ? length : 0;
}

/* libcurl drops bytes that follow the end of an answer, and reports them in its debug messages alone. */
static int on_trace(CURL *easy, curl_infotype type, char *text, size_t length, void *user)
{
    static const char *const words[] = {"Excess found", "Leftovers after chunking"};
    ahk_exchange *x = user;
    (void)easy;
    for (size_t i = 0; type == CURLINFO_TEXT && i < sizeof words / sizeof words[0]; i++) {
        if (memmem(text, length, words[i], strlen(words[i])) != NULL) {
            x->has_surplus = true;
        }
    }
    return 0;
}

static void on_first_byte(ahk_exchange *x)
{
    x->first_byte = ahk_monotonic();
    /* Debug messages are needed from here on; during the TLS handshake there is one for each record. */
    (void)curl_easy_setopt(x->easy, CURLOPT_VERBOSE, 1L);
}

/* What arrives on a kept connection before the server can have received the request is not its answer. It is the rest
 * of an earlier answer, or a refusal that did not wait for the request; the latter will be sent again. */
static bool is_answer(ahk_exchange *x)
{
    x->was_poisoned = x->sent < x->request->body.length;
    x->was_crossed = !x->was_poisoned && !is_acknowledged(x);
    return !x->was_poisoned && !x->was_crossed;
}

/* HTTP/2 tells which request an answer belongs to. A status line that names HTTP/2 where the handshake did not agree on
 * it is refused. */
static bool begin_answer(ahk_exchange *x, ahk_slice status_line)
{
    const bool names_http2 = ahk_head_names_http2(status_line);
    x->tls_session = ahk_tls_session(x->easy);
    x->is_multiplexed = names_http2 && ahk_request_is_tls(x->request) && ahk_tls_has_agreed_on_h2(x->tls_session, true);
    if (names_http2 && !x->is_multiplexed) {
        ahk_head_refuse(&x->head);
        return false;
    }
    return x->has_opened || x->is_multiplexed || is_answer(x);
}

/* libcurl calls this for each line, including the status line and the empty line. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    ahk_exchange *x = user;
    const ahk_slice line = {(const unsigned char *)data, size * count};
    if (x->first_byte <= 0) {
        on_first_byte(x);
    }
    if (x->head.position == AHK_AT_STATUS_LINE && !begin_answer(x, line)) {
        return 0;
    }
    return ahk_head_take(&x->head, line) ? line.length : 0;
}

/* ---- one transfer ------------------------------------------------------------------------------- */

/* Sets an option unless an earlier one failed. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (code == CURLE_OK) {                                                                                        \
            code = curl_easy_setopt(easy, option, value);                                                              \
        }                                                                                                              \
    } while (0)

static CURLcode set_exchange(ahk_exchange *x, const ahk_request *r)
{
    CURL *easy = x->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_PATH_AS_IS, 1L); /* dot segments stay */
    SET(CURLOPT_REQUEST_TARGET, ahk_request_target(r));
    SET(CURLOPT_POST, 1L);
    /* Where a kept connection turns out to be dead, libcurl must not send the request again by itself: see on_seek.
     * Without a body it would not call on_seek, so a kept connection is not used then. */
    SET(CURLOPT_FRESH_CONNECT, r->body.length == 0 || x->is_fresh ? 1L : 0L);
    SET(CURLOPT_POSTFIELDS, NULL);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.length);
    SET(CURLOPT_READFUNCTION, on_send);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, x);
    SET(CURLOPT_HTTPHEADER, x->headers);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, x);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_DEBUGFUNCTION, on_trace);
    SET(CURLOPT_DEBUGDATA, x);
    SET(CURLOPT_ERRORBUFFER, x->detail);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, x);
#if LIBCURL_VERSION_NUM >= 0x075000
    SET(CURLOPT_PREREQFUNCTION, on_ready);
    SET(CURLOPT_PREREQDATA, x);
#endif
    if (x->links != NULL) {
        SET(CURLOPT_CLOSESOCKETFUNCTION, ahk_links_close);
        SET(CURLOPT_CLOSESOCKETDATA, x->links);
        SET(CURLOPT_PIPEWAIT, 1L); /* one connection of HTTP/2 carries many */
    } else {
        SET(CURLOPT_SHARE, x->connections->sessions);
    }
    return code;
}

#undef SET

static CURLcode set_options(ahk_exchange *x, const ahk_request *r)
{
    CURLcode code = set_exchange(x, r);
    if (code == CURLE_OK) {
        code = ahk_options_set(x->easy, r);
    }
    if (code == CURLE_OK && ahk_request_is_tls(r)) {
        ahk_tls_watch_issuer(x->easy);
    }
    return code;
}

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
static void note_connected(ahk_exchange *x)
{
    x->is_connected = x->is_connected || (x->socket != CURL_SOCKET_BAD && ahk_socket_is_connected(x->socket));
}

void ahk_exchange_look(ahk_exchange *exchange)
{
    if (exchange->has_opened) {
        note_connected(exchange);
    }
}

static CURLcode perform(CURLM *multi, ahk_exchange *x)
{
    int running = 0;
    CURLMcode code = curl_multi_add_handle(multi, x->easy);
    while (code == CURLM_OK) {
        code = curl_multi_perform(multi, &running);
        note_connected(x);
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

/* Resets everything except the headers of the request, is_fresh, and the memory that an earlier answer used. */
static void begin(ahk_exchange *x, const ahk_request *request)
{
    *x = (ahk_exchange){
        .headers = x->headers,
        .head = x->head,
        .body = x->body,
        .is_fresh = x->is_fresh,
        .request = request,
        .started = ahk_monotonic(),
        .socket = CURL_SOCKET_BAD,
    };
    ahk_head_begin(&x->head);
    ahk_buffer_reset(&x->body, request->max_response_bytes);
}

/* False where libcurl has no handle to give: nothing was sent. */
static bool make_easy(ahk_exchange *x, ahk_error *err)
{
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

static void read_results(ahk_exchange *x, CURLcode code)
{
    make_one_line(x->detail);
    x->status = read_long(x->easy, CURLINFO_RESPONSE_CODE);
    const long of_proxy = read_long(x->easy, CURLINFO_HTTP_CONNECTCODE);
    x->proxy_status = code != CURLE_OK && of_proxy != 0 && of_proxy / 100 != 2 ? of_proxy : 0;
    x->timing = read_timing(x);
    x->has_begun = x->has_begun || x->sent > 0 || milliseconds(x->easy, CURLINFO_PRETRANSFER_TIME_T) > 0;
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_OUT_OF_MEMORY) {
        x->no_descriptors = x->no_descriptors || !ahk_descriptors_left(LOOKUP_DESCRIPTORS);
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
    AHK_REQUIRE(exchange->easy == NULL && exchange->links == NULL); /* it does not run already */
    AHK_REQUIRE(connections->multi != NULL && connections->sessions != NULL);
    AHK_REQUIRE(request->timeout_ms > 0 && request->connect_timeout_ms > 0);
    begin(exchange, request);
    exchange->connections = connections;
    if (!make_easy(exchange, err)) {
        return AHK_FAILED_CONNECT;
    }
    CURLcode code = set_options(exchange, request);
    if (code == CURLE_OK) {
        ahk_tls_note_issuer(exchange->issuer, sizeof exchange->issuer);
        code = perform_in_english(connections->multi, exchange);
        ahk_tls_forget_issuer();
    }
    read_results(exchange, code);
    const ahk_outcome outcome = ahk_verdict(exchange, code, err);
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
    AHK_REQUIRE(exchange->easy == NULL);
    AHK_REQUIRE(request->timeout_ms > 0 && request->connect_timeout_ms > 0);
    begin(exchange, request);
    exchange->links = links;
    if (!make_easy(exchange, err)) {
        return false;
    }
    if (set_options(exchange, request) == CURLE_OK &&
        curl_easy_setopt(exchange->easy, CURLOPT_PRIVATE, exchange) == 0) {
        return true;
    }
    ahk_exchange_cancel(exchange);
    return ahk_fail(err, "libcurl does not take an option: nothing was sent");
}

ahk_outcome ahk_exchange_finish(ahk_exchange *exchange, CURLcode code, ahk_error *err)
{
    read_results(exchange, code);
    const ahk_outcome outcome = ahk_verdict(exchange, code, err);
    ahk_link *link = ahk_links_by_id(exchange->links, exchange->link_id);
    if (link != NULL) {
        link->multiplexed = link->multiplexed || exchange->is_multiplexed;
        link->tainted = link->tainted || outcome != AHK_SENT || exchange->has_surplus;
        if (!link->tainted && !link->multiplexed) {
            ahk_socket_acknowledge(link->fd);
        }
    }
    ahk_exchange_cancel(exchange);
    return outcome;
}
