#include "transport.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "buffer.h"
#include "sigpipe.h"

enum {
    KEEP_IDLE_SECONDS = 55,      /* nginx closes after 60 or 75: be first */
    KEEP_LIFETIME_SECONDS = 3600 /* look at a renewed certificate within the hour */
};

static const char HTTPS[] = "https://";
static const char HTTP[] = "http://";

/* Where in the answer the header callback is. */
typedef enum {
    AT_STATUS_LINE,
    IN_HEAD,
    IN_BODY /* what comes now are trailers: never taken for headers */
} position;

struct ahk_transport {
    CURL *easy; /* made at first use; keeps the connections and the CA store */
    pid_t owner;
    struct curl_slist *headers;
    ahk_buffer received_body;
    ahk_buffer received_headers;
    int received_header_count;
    position position;
    bool informational; /* the head at hand is a 1xx */
    bool malformed;
    double started;    /* seconds of the monotonic clock */
    double first_byte; /* the same, 0 before it */
    ahk_slice body;    /* of the request at hand, the caller's memory */
    size_t sent;       /* bytes of it */
    bool failed;       /* the transfer before this one: its connection is not trusted again */
    char detail[CURL_ERROR_SIZE];
};

ahk_transport *ahk_transport_new(void)
{
    return calloc(1, sizeof(ahk_transport));
}

/* After a fork the handle is let go unfreed: see the head of transport.h. */
static void release_easy(ahk_transport *t)
{
    if (t->easy != NULL && t->owner == getpid()) {
        curl_easy_cleanup(t->easy);
    }
    t->easy = NULL;
}

void ahk_transport_free(ahk_transport *transport)
{
    if (transport == NULL) {
        return;
    }
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard); /* closing TLS writes */
    release_easy(transport);
    ahk_sigpipe_restore(&guard);
    ahk_transport_clear_headers(transport);
    ahk_buffer_free(&transport->received_body);
    ahk_buffer_free(&transport->received_headers);
    free(transport);
}

/* ---- request headers --------------------------------------------------------------------------- */

void ahk_transport_clear_headers(ahk_transport *transport)
{
    curl_slist_free_all(transport->headers);
    transport->headers = NULL;
}

static bool is_token(ahk_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        const unsigned char c = name.data[i];
        if (c <= ' ' || c >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", c) != NULL) {
            return false;
        }
    }
    return name.length > 0;
}

static bool is_one_line(ahk_slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        if (value.data[i] == '\r' || value.data[i] == '\n' || value.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static bool append_header(ahk_transport *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    if (longer == NULL) {
        return false;
    }
    t->headers = longer;
    return true;
}

bool ahk_transport_add_header(ahk_transport *transport, ahk_slice name, ahk_slice value, ahk_error *err)
{
    if (name.length > AHK_HEADERS_MAX || value.length > AHK_HEADERS_MAX) {
        return ahk_fail(err, "header: longer than %zu bytes", AHK_HEADERS_MAX);
    }
    if (!is_token(name)) {
        return ahk_fail(err, "header name: not a token of HTTP");
    }
    if (!is_one_line(value)) {
        return ahk_fail(err, "header %.*s: CR, LF or NUL in its value", (int)name.length, (const char *)name.data);
    }
    value = ahk_slice_trim(value); /* curl drops a header whose value is blank */
    const size_t room = name.length + value.length + 3;
    char *line = malloc(room);
    /* A lone semicolon is curl's way to say "send it, empty". */
    const int written = line == NULL ? -1
                        : value.length == 0
                            ? snprintf(line, room, "%.*s;", (int)name.length, (const char *)name.data)
                            : snprintf(line, room, "%.*s: %.*s", (int)name.length, (const char *)name.data,
                                       (int)value.length, (const char *)value.data);
    const bool done = written > 0 && append_header(transport, line);
    free(line);
    return done || ahk_fail(err, "out of memory");
}

/* ---- libcurl's callbacks: C only, no Lua while a transfer runs ---------------------------------- */

static size_t on_send(char *out, size_t size, size_t count, void *user)
{
    ahk_transport *t = user;
    const size_t room = size * count;
    const size_t unsent = t->body.length - t->sent;
    const size_t n = unsent < room ? unsent : room;
    if (n > 0) {
        memcpy(out, t->body.data + t->sent, n);
    }
    t->sent += n;
    return n;
}

/* Back to the start is no step before anything was sent: newer versions ask for it when the transfer before this one
 * failed. After that it is refused, so libcurl cannot send a body a second time by itself. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    const ahk_transport *t = user;
    return offset == 0 && origin == SEEK_SET && t->sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    ahk_transport *t = user;
    const size_t length = size * count;
    return ahk_buffer_append(&t->received_body, data, length) ? length : 0;
}

static void begin_head(ahk_transport *t, const char *line, size_t length)
{
    const char *space = memchr(line, ' ', length);
    t->informational = space != NULL && space + 1 < line + length && space[1] == '1';
    t->received_headers.length = 0;
    t->received_header_count = 0;
    t->position = IN_HEAD;
}

/* False for a line that ends the transfer. */
static bool take_header(ahk_transport *t, const char *line, size_t length)
{
    const char *colon = memchr(line, ':', length);
    if (colon == NULL || colon == line || line[0] == ' ' || line[0] == '\t' || colon[-1] == ' ' || colon[-1] == '\t') {
        t->malformed = true; /* folded, or not `name: value`: RFC 9112 lets nobody send these */
        return false;
    }
    if (++t->received_header_count > AHK_HEADER_COUNT_MAX) {
        t->received_headers.overflowed = true;
        return false;
    }
    return ahk_buffer_append(&t->received_headers, line, length);
}

/* libcurl calls this once a line, the status line and the empty line included. */
static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    ahk_transport *t = user;
    const size_t length = size * count;
    const bool empty = length == 0 || data[0] == '\r' || data[0] == '\n';
    if (t->first_byte <= 0) {
        t->first_byte = ahk_monotonic();
    }
    if (t->position == IN_BODY) {
        return length;
    }
    if (t->position == AT_STATUS_LINE) {
        begin_head(t, data, length);
        return length;
    }
    if (empty) {
        t->position = t->informational ? AT_STATUS_LINE : IN_BODY;
        return length;
    }
    return take_header(t, data, length) ? length : 0;
}

/* ---- one transfer ------------------------------------------------------------------------------- */

static bool ready_easy(ahk_transport *t)
{
    if (t->owner != getpid()) {
        release_easy(t);
    }
    if (t->easy == NULL) {
        t->easy = curl_easy_init();
        t->owner = getpid();
    }
    return t->easy != NULL;
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

/* The first option that fails decides; the rest is then not set. */
#define SET(option, value)                                                                                             \
    do {                                                                                                               \
        if (code == CURLE_OK) {                                                                                        \
            code = curl_easy_setopt(easy, option, value);                                                              \
        }                                                                                                              \
    } while (0)

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The URL's path and query as they were signed: newer versions drop a lone question mark. A proxy that has to read the
 * whole URL gets what libcurl makes of it. */
static const char *request_target(const ahk_request *r)
{
    const bool is_direct = !r->proxy_environment && r->proxy == NULL;
    const bool is_tls = has_prefix(r->url, HTTPS);
    return is_direct || is_tls ? strchr(r->url + strlen(is_tls ? HTTPS : HTTP), '/') : NULL;
}

static CURLcode set_message(ahk_transport *t, const ahk_request *r)
{
    CURL *easy = t->easy;
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_PATH_AS_IS, 1L); /* dots and all */
    SET(CURLOPT_REQUEST_TARGET, request_target(r));
    SET(CURLOPT_POST, 1L);
    /* When a kept connection turns out dead, a retry needs a new signature (see on_seek). Without a body there is
     * nothing to rewind, so a kept connection is not used at all then; nor after a failure, for newer versions look
     * only once a second whether one is alive. */
    SET(CURLOPT_FRESH_CONNECT, r->body.length == 0 || t->failed ? 1L : 0L);
    t->body = r->body;
    t->sent = 0;
    SET(CURLOPT_POSTFIELDS, NULL);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.length);
    SET(CURLOPT_READFUNCTION, on_send);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, t);
    SET(CURLOPT_HTTPHEADER, t->headers);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->detail);
    return code;
}

static CURLcode set_behaviour(CURL *easy, const ahk_request *r)
{
    CURLcode code = set_protocols(easy);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_CONNECTTIMEOUT_MS, r->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, r->timeout_ms);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_MAXAGE_CONN, (long)KEEP_IDLE_SECONDS);
    if (code == CURLE_OK) {
        code = set_lifetime(easy);
    }
    if (!r->proxy_environment) {
        SET(CURLOPT_PROXY, r->proxy != NULL ? r->proxy : "");
        SET(CURLOPT_NOPROXY, "");
    }
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (code == CURLE_OK) {
        /* A libcurl without HTTP/2 refuses; 1.1 is then what it speaks. */
        (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    }
    return code;
}

static CURLcode set_tls(CURL *easy, const ahk_request *r)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)(r->tls_1_3 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
    if (r->ca_file != NULL) {
        SET(CURLOPT_CAINFO, r->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* that file and nothing else */
    }
    SET(CURLOPT_SSLCERT, r->client_cert);
    SET(CURLOPT_SSLKEY, r->client_key);
    SET(CURLOPT_KEYPASSWD, ""); /* an encrypted one fails; it must not ask at the terminal */
    SET(CURLOPT_PINNEDPUBLICKEY, r->pinned_public_key);
    return code;
}

#undef SET

static double milliseconds(CURL *easy, CURLINFO info)
{
    curl_off_t microseconds = 0;
    (void)curl_easy_getinfo(easy, info, &microseconds);
    return (double)microseconds / 1000.0;
}

/* curl's own "start transfer" is the first byte sent where there is a body. */
static ahk_timing read_timing(const ahk_transport *t)
{
    return (ahk_timing){
        .dns = milliseconds(t->easy, CURLINFO_NAMELOOKUP_TIME_T),
        .connect = milliseconds(t->easy, CURLINFO_CONNECT_TIME_T),
        .tls = milliseconds(t->easy, CURLINFO_APPCONNECT_TIME_T),
        .first_byte = t->first_byte > 0 ? (t->first_byte - t->started) * 1000 : 0,
        .total = (ahk_monotonic() - t->started) * 1000,
    };
}

static ahk_outcome outcome_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return AHK_SENT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return AHK_FAILED_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
        return AHK_FAILED_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_BAD_FUNCTION_ARGUMENT: /* what newer versions say of a client key */
        return AHK_FAILED_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return AHK_FAILED_TIMEOUT;
    case CURLE_OUT_OF_MEMORY: /* what libcurl says of a header line above its own 100 kB */
        return AHK_FAILED_TOO_LARGE;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP2:
        return AHK_FAILED_RESET;
    default:
        return AHK_FAILED_PROTOCOL;
    }
}

static ahk_outcome judge(ahk_transport *t, CURLcode code, const ahk_request *r, ahk_error *err)
{
    if (t->received_body.overflowed) {
        ahk_fail(err, "the answer is larger than max_response_bytes (%zu)", r->max_response_bytes);
        return AHK_FAILED_TOO_LARGE;
    }
    if (t->received_headers.overflowed) {
        ahk_fail(err, "the answer's headers are larger than %zu bytes or more than %d", AHK_HEADERS_MAX,
                 AHK_HEADER_COUNT_MAX);
        return AHK_FAILED_TOO_LARGE;
    }
    if (t->malformed) {
        ahk_fail(err, "a header line of the answer cannot be read");
        return AHK_FAILED_PROTOCOL;
    }
    if (code != CURLE_OK) {
        ahk_fail(err, "%s", t->detail[0] != '\0' ? t->detail : curl_easy_strerror(code));
    }
    /* Under TLS 1.3 the server's word on our certificate comes after the handshake. */
    if (code == CURLE_RECV_ERROR && strstr(t->detail, " alert ") != NULL) {
        return AHK_FAILED_TLS;
    }
    return outcome_of(code);
}

static ahk_outcome perform(ahk_transport *t, const ahk_request *r, ahk_error *err)
{
    t->detail[0] = '\0';
    t->position = AT_STATUS_LINE;
    t->malformed = false;
    t->started = ahk_monotonic();
    t->first_byte = 0;
    ahk_buffer_reset(&t->received_body, r->max_response_bytes);
    ahk_buffer_reset(&t->received_headers, AHK_HEADERS_MAX);
    curl_easy_reset(t->easy); /* options only: connections and sessions stay */
    CURLcode code = set_message(t, r);
    if (code == CURLE_OK) {
        code = set_behaviour(t->easy, r);
    }
    if (code == CURLE_OK) {
        code = set_tls(t->easy, r);
    }
    if (code == CURLE_OK) {
        code = curl_easy_perform(t->easy);
    }
    return judge(t, code, r, err);
}

ahk_outcome ahk_transport_send(ahk_transport *transport, const ahk_request *request, ahk_response *response,
                               ahk_error *err)
{
    ahk_sigpipe_guard guard;
    *response = (ahk_response){0};
    if (!has_prefix(request->url, HTTPS) && !has_prefix(request->url, HTTP)) {
        ahk_fail(err, "the URL does not start with https://");
        return AHK_FAILED_PROTOCOL;
    }
    /* "Expect:" without a value: no waiting for a 100 before the body. */
    if (!ready_easy(transport) || !append_header(transport, "Expect:")) {
        ahk_fail(err, "out of memory");
        return AHK_FAILED_PROTOCOL;
    }
    ahk_sigpipe_block(&guard);
    const ahk_outcome outcome = perform(transport, request, err);
    transport->failed = outcome != AHK_SENT;
    ahk_sigpipe_restore(&guard);

    (void)curl_easy_getinfo(transport->easy, CURLINFO_RESPONSE_CODE, &response->status);
    response->body = (ahk_slice){(const unsigned char *)transport->received_body.data, transport->received_body.length};
    response->headers =
        (ahk_slice){(const unsigned char *)transport->received_headers.data, transport->received_headers.length};
    response->timing = read_timing(transport);
    transport->body = (ahk_slice){0};
    return outcome;
}

/* ---- answer headers ----------------------------------------------------------------------------- */

bool ahk_headers_next(ahk_slice *lines, ahk_slice *name, ahk_slice *value)
{
    while (lines->length > 0) {
        const unsigned char *end = memchr(lines->data, '\n', lines->length);
        const size_t length = end != NULL ? (size_t)(end - lines->data) : lines->length;
        const ahk_slice line = {lines->data, length};
        const size_t taken = end != NULL ? length + 1 : length;
        lines->data += taken;
        lines->length -= taken;
        const unsigned char *colon = length > 0 ? memchr(line.data, ':', length) : NULL;
        if (colon != NULL && colon > line.data) {
            const size_t name_length = (size_t)(colon - line.data);
            *name = (ahk_slice){line.data, name_length};
            *value = ahk_slice_trim((ahk_slice){colon + 1, length - name_length - 1});
            return true;
        }
    }
    return false;
}
