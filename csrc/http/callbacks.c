#include "callbacks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "descriptors.h"
#include "options.h"
#include "tls_library.h"

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
        x->no_descriptors = ahk_errno_is_of_descriptors(errno);
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
/* HTTP/2 is known from the handshake on, for others may join before there is an answer. */
static void note_link(ahk_exchange *x, ahk_link *link)
{
    x->link_id = 0;
    if (link != NULL) {
        link->multiplexed = link->multiplexed || ahk_tls_has_agreed_on_h2(ahk_tls_session(x->easy), false);
        x->link_id = link->id;
        x->is_multiplexed = link->multiplexed;
    }
}

/* The connection is ready and the request is about to be sent. See read_results for older versions of libcurl. */
static int on_ready(void *user, char *to, char *from, int to_port, int from_port)
{
    ahk_exchange *x = user;
    (void)to;
    (void)from;
    (void)to_port;
    if (x->links != NULL) {
        ahk_link *link = ahk_links_by_port(x->links, from_port);
        note_link(x, link);
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
        ahk_head_refuse(&x->head, "it names HTTP/2, which the handshake did not agree on");
        return false;
    }
    if (!x->is_multiplexed) {
        /* For on_trace. Not before, for of the TLS handshake there is a message for each record. */
        (void)curl_easy_setopt(x->easy, CURLOPT_VERBOSE, 1L);
    }
    return x->has_opened || x->is_multiplexed || is_answer(x);
}

/* libcurl calls this for each line, including the status line and the empty line. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    ahk_exchange *x = user;
    const ahk_slice line = {(const unsigned char *)data, size * count};
    if (x->first_byte <= 0) {
        x->first_byte = ahk_monotonic();
    }
    if (x->head.position == AHK_AT_STATUS_LINE && !begin_answer(x, line)) {
        return 0;
    }
    if (!ahk_head_take(&x->head, line)) {
        return 0;
    }
    /* Not to wait for a body that would not be taken. */
    x->body.overflowed = x->body.overflowed || (x->head.position == AHK_BEHIND_HEAD && x->head.length > x->body.max);
    return x->body.overflowed ? 0 : line.length;
}

/* ---- setting them --------------------------------------------------------------------------------- */

static CURLcode set_exchange(ahk_exchange *x, const ahk_request *r)
{
    CURL *easy = x->easy;
    CURLcode code = CURLE_OK;
    AHK_SETOPT(CURLOPT_URL, r->url);
    AHK_SETOPT(CURLOPT_PATH_AS_IS, 1L); /* dot segments stay */
    AHK_SETOPT(CURLOPT_REQUEST_TARGET, ahk_request_target(r));
    AHK_SETOPT(CURLOPT_POST, 1L);
    /* Where a kept connection turns out to be dead, libcurl must not send the request again by itself: see on_seek.
     * Without a body it would not call on_seek, so a kept connection is not used then. */
    AHK_SETOPT(CURLOPT_FRESH_CONNECT, r->body.length == 0 || x->is_fresh ? 1L : 0L);
    AHK_SETOPT(CURLOPT_POSTFIELDS, NULL);
    AHK_SETOPT(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.length);
    AHK_SETOPT(CURLOPT_READFUNCTION, on_send);
    AHK_SETOPT(CURLOPT_READDATA, x);
    AHK_SETOPT(CURLOPT_SEEKFUNCTION, on_seek);
    AHK_SETOPT(CURLOPT_SEEKDATA, x);
    AHK_SETOPT(CURLOPT_HTTPHEADER, x->headers);
    AHK_SETOPT(CURLOPT_WRITEFUNCTION, on_body);
    AHK_SETOPT(CURLOPT_WRITEDATA, x);
    AHK_SETOPT(CURLOPT_HEADERFUNCTION, on_header);
    AHK_SETOPT(CURLOPT_HEADERDATA, x);
    AHK_SETOPT(CURLOPT_DEBUGFUNCTION, on_trace);
    AHK_SETOPT(CURLOPT_DEBUGDATA, x);
    AHK_SETOPT(CURLOPT_ERRORBUFFER, x->detail);
    AHK_SETOPT(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    AHK_SETOPT(CURLOPT_OPENSOCKETDATA, x);
#if LIBCURL_VERSION_NUM >= 0x075000
    AHK_SETOPT(CURLOPT_PREREQFUNCTION, on_ready);
    AHK_SETOPT(CURLOPT_PREREQDATA, x);
#endif
    if (x->links != NULL) {
        AHK_SETOPT(CURLOPT_CLOSESOCKETFUNCTION, ahk_links_close);
        AHK_SETOPT(CURLOPT_CLOSESOCKETDATA, x->links);
        /* One connection of HTTP/2 carries many. Without TLS there is none, and libcurl would wait for the first answer
         * on a connection to know that. */
        AHK_SETOPT(CURLOPT_PIPEWAIT, ahk_request_is_tls(r) ? 1L : 0L);
    } else {
        AHK_SETOPT(CURLOPT_SHARE, x->connections->sessions);
    }
    return code;
}

CURLcode ahk_callbacks_set(ahk_exchange *x, const ahk_request *r)
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
