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
    LOOKUP_DESCRIPTORS = 4 /* what looking up a name needs at once */
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
    /* The file of CAs is opened next: for want of a descriptor it would be called missing. */
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
/* The connection is ready. What is not told of it here, libcurl's times tell. */
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

/* The last look at a kept connection. The body is what makes a request, so nothing has been asked yet. */
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

/* Back to the start is no step before anything was sent: libcurl asks for it when the kept connection was dead. After
 * that it is refused, so libcurl cannot send a body a second time by itself. */
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

/* libcurl says in passing, to whoever debugs it, that bytes came behind the answer, and throws them away. */
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
    /* Only now: while a connection is made it would trace every record of TLS. */
    (void)curl_easy_setopt(x->easy, CURLOPT_VERBOSE, 1L);
}

/* What comes on a kept connection before the server can have the request is the end of another one: or a refusal that
 * did not wait for it, and that will come again. */
static bool is_answer(ahk_exchange *x)
{
    x->was_poisoned = x->sent < x->request->body.length;
    x->was_crossed = !x->was_poisoned && !is_acknowledged(x);
    return !x->was_poisoned && !x->was_crossed;
}

/* HTTP/2 says which request an answer is for. Who only calls himself that, on a connection that was not agreed to be
 * one, is not believed. */
static bool begin_answer(ahk_exchange *x, const char *status_line, size_t length)
{
    const bool says_so = length > 5 && memcmp(status_line, "HTTP/", 5) == 0 && status_line[5] >= '2';
    x->tls_session = ahk_tls_session(x->easy);
    x->is_multiplexed = says_so && ahk_request_is_tls(x->request) && ahk_tls_has_agreed_on_h2(x->tls_session, true);
    x->head.malformed = says_so && !x->is_multiplexed;
    return !x->head.malformed && (x->has_opened || x->is_multiplexed || is_answer(x));
}

/* libcurl calls this once a line, the status line and the empty line included. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    ahk_exchange *x = user;
    const size_t length = size * count;
    if (x->first_byte <= 0) {
        on_first_byte(x);
    }
    if (x->head.position == AHK_AT_STATUS_LINE && !begin_answer(x, data, length)) {
        return 0;
    }
    return ahk_head_take(&x->head, (ahk_slice){(const unsigned char *)data, length}) ? length : 0;
}

/* ---- one transfer ------------------------------------------------------------------------------- */

/* The first option that fails decides; the rest is then not set. */
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
    SET(CURLOPT_PATH_AS_IS, 1L); /* dots and all */
    SET(CURLOPT_REQUEST_TARGET, ahk_request_target(r));
    SET(CURLOPT_POST, 1L);
    /* When a kept connection turns out dead, a retry needs a new signature (see on_seek). Without a body there is
     * nothing to rewind, so a kept connection is not used at all then. */
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
    return CURLE_OUT_OF_MEMORY; /* the only way that is left for it to end without a word */
}

/* libcurl's own times say it only when TLS and proxies are through as well. */
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

/* What libcurl says of a failure has the system's words in it: in another locale these may be in bytes that are no
 * UTF-8. */
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

/* curl's own "start transfer" is the first byte sent where there is a body. */
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

static void begin(ahk_exchange *x, const ahk_request *request)
{
    ahk_head_begin(&x->head);
    ahk_buffer_reset(&x->body, request->max_response_bytes);
    x->status = 0;
    x->proxy_status = 0;
    x->timing = (ahk_timing){0};
    x->has_begun = false;
    x->no_descriptors = false;
    x->link_id = 0;
    x->request = request;
    x->sent = 0;
    x->started = ahk_monotonic();
    x->first_byte = 0;
    x->tls_session = NULL;
    x->is_multiplexed = false;
    x->has_opened = false;
    x->socket = CURL_SOCKET_BAD;
    x->is_connected = false;
    x->was_poisoned = false;
    x->was_crossed = false;
    x->has_surplus = false;
    x->issuer[0] = '\0';
    x->detail[0] = '\0';
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

/* libcurl breaks some of its texts. */
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
