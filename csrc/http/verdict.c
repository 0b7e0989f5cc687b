#include "verdict.h"

#include <string.h>

#include "explain.h"
#include "proxy.h"

ahk_outcome ahk_judge_request(const ahk_request *request, ahk_error *err)
{
    if (!ahk_request_is_http(request)) {
        (void)ahk_fail(err, "the URL does not start with https://");
        return AHK_FAILED_PROTOCOL;
    }
    if (!ahk_request_is_one_word(request)) {
        (void)ahk_fail(err, "the URL has a blank or a control character in it");
        return AHK_FAILED_PROTOCOL;
    }
    const char *proxy = ahk_request_proxy(request);
    if (proxy != NULL && !ahk_proxy_is_sound(proxy)) {
        (void)ahk_fail(err,
                       "the proxy's URL (%s) has a control character in it, raw or percent-encoded: did a password "
                       "keep its line break? Nothing was sent",
                       request->proxy_environment ? "in the environment" : "`proxy`");
        return AHK_FAILED_PROXY;
    }
    return AHK_SENT;
}

/* ---- a transfer that ended ---------------------------------------------------------------------- */

static ahk_facts gather(const ahk_exchange *x, CURLcode code, ahk_error *err)
{
    ahk_facts f = {.x = x, .request = x->request, .code = code, .err = err};
    f.proxy = ahk_request_proxy(x->request);
    ahk_proxy_show(x->request->url, f.host, sizeof f.host);
    if (f.proxy != NULL) {
        ahk_proxy_show(f.proxy, f.proxy_host, sizeof f.proxy_host);
    }
    /* Where libcurl cannot parse a proxy's URL, its message has the URL with the credentials. */
    const bool may_be_shown = x->detail[0] != '\0' && (f.proxy == NULL || strchr(x->detail, '@') == NULL);
    f.detail = may_be_shown ? x->detail : curl_easy_strerror(code);
    return f;
}

/* libcurl's messages for a connection that broke during the TLS handshake. */
static bool was_cut(const ahk_facts *f)
{
    static const char *const words[] = {
        " in connection to ",      "Recv failure",           "Send failure", "unexpected eof",
        "non-properly terminated", "not properly terminated"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (ahk_facts_say(f, words[i])) {
            return true;
        }
    }
    return false;
}

/* Whether the server refused our certificate. With TLS 1.3 that alert arrives after the handshake, when the request may
 * be on its way, but the server has processed nothing of it. After any other alert that is not certain. */
static bool is_about_our_certificate(const ahk_facts *f)
{
    static const char *const words[] = {"certificate", "unknown ca", "access denied"};
    if (!f->x->has_opened || f->x->first_byte > 0 || !ahk_facts_say(f, " alert ")) {
        return false;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (ahk_facts_say(f, words[i])) {
            return true;
        }
    }
    return false;
}

/* ---- the outcome -------------------------------------------------------------------------------- */

/* Many versions of libcurl report a line of the head over their own limit as out of memory. */
static ahk_outcome outcome_of_memory(const ahk_facts *f)
{
    if (!f->x->has_begun) {
        return AHK_FAILED_CONNECT;
    }
    return f->x->head.position == AHK_BEHIND_HEAD ? AHK_FAILED_RESET : AHK_FAILED_TOO_LARGE;
}

static ahk_outcome outcome_of(const ahk_facts *f)
{
    switch (f->code) {
    case CURLE_OK:
        return AHK_SENT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return AHK_FAILED_DNS;
    case CURLE_COULDNT_CONNECT:
        return ahk_facts_say(f, "SOCKS") ? AHK_FAILED_PROXY : AHK_FAILED_CONNECT;
    case CURLE_INTERFACE_FAILED:
        return AHK_FAILED_CONNECT;
#if LIBCURL_VERSION_NUM >= 0x074900
    case CURLE_PROXY: /* newer versions: SOCKS failed */
        return AHK_FAILED_PROXY;
#endif
    case CURLE_SSL_CONNECT_ERROR:
        return was_cut(f) ? AHK_FAILED_CONNECT : AHK_FAILED_TLS;
    case CURLE_BAD_FUNCTION_ARGUMENT: /* newer versions: a bad client key; or a bad header */
        return f->x->has_begun ? AHK_FAILED_PROTOCOL : AHK_FAILED_TLS;
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
#if LIBCURL_VERSION_NUM >= 0x074d00
    case CURLE_SSL_CLIENTCERT:
#endif
        return AHK_FAILED_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return AHK_FAILED_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return outcome_of_memory(f);
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
        return AHK_FAILED_TOO_LARGE;
#endif
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        if (is_about_our_certificate(f)) {
            return AHK_FAILED_TLS;
        }
        return f->x->has_begun ? AHK_FAILED_RESET : AHK_FAILED_CONNECT;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP2:
        return f->x->has_begun ? AHK_FAILED_RESET : AHK_FAILED_CONNECT;
    default:
        return AHK_FAILED_PROTOCOL;
    }
}

static ahk_outcome is_told(const ahk_facts *f, ahk_outcome outcome, const char *text)
{
    ahk_explain(f, "%s", text);
    return outcome;
}

/* Our own reasons for ending the transfer, which libcurl's code does not tell. AHK_SENT: there was none. */
static ahk_outcome judge_stop(const ahk_facts *f)
{
    const ahk_exchange *x = f->x;
    if (x->no_descriptors) {
        return is_told(f, AHK_FAILED_CONNECT, AHK_NO_DESCRIPTORS ": nothing was sent");
    }
    if (x->was_poisoned) {
        return is_told(f, AHK_FAILED_CONNECT,
                       "the kept connection had ended, or held bytes that nobody asked for: nothing was sent on it");
    }
    if (x->was_crossed) {
        return is_told(f, AHK_FAILED_RESET,
                       "an answer came before the server had the request: it is another's, and was dropped");
    }
    if (x->proxy_status != 0) {
        ahk_explain_refusal(f);
        return AHK_FAILED_PROXY;
    }
    if (x->body.overflowed) {
        ahk_explain(f, "the answer is larger than `max_response_bytes` (%zu)", f->request->max_response_bytes);
        return AHK_FAILED_TOO_LARGE;
    }
    if (x->head.lines.overflowed) {
        ahk_explain(f, "the answer's headers are larger than %zu bytes or more than %d", AHK_HEADERS_MAX,
                    AHK_HEADER_COUNT_MAX);
        return AHK_FAILED_TOO_LARGE;
    }
    if (x->head.malformed != NULL) {
        ahk_explain(f, "the answer's head: %s", x->head.malformed);
        return AHK_FAILED_PROTOCOL;
    }
    if (f->code == CURLE_WRITE_ERROR) {
        return is_told(f, AHK_FAILED_RESET, "out of memory while the answer was read");
    }
    /* libcurl takes the end of a connection for that of the head. */
    if (f->code == CURLE_OK && x->head.position != AHK_BEHIND_HEAD) {
        return is_told(f, AHK_FAILED_RESET, "the connection ended within the answer's head");
    }
    if (f->code == CURLE_OK && x->status != x->head.status) {
        return is_told(f, AHK_FAILED_PROTOCOL, "the answer's status line cannot be read");
    }
    return AHK_SENT;
}

static void tell(const ahk_facts *f, ahk_outcome outcome)
{
    switch (outcome) {
    case AHK_FAILED_TLS:
        ahk_explain_tls(f);
        return;
    case AHK_FAILED_PROXY:
        ahk_explain_refusal(f);
        return;
    case AHK_FAILED_TIMEOUT:
        ahk_explain_timeout(f);
        return;
    case AHK_FAILED_TOO_LARGE:
        ahk_explain(f, "a line of the answer's head is larger than libcurl takes%s",
                    f->code == CURLE_OUT_OF_MEMORY ? ", or memory is short" : "");
        return;
    case AHK_FAILED_DNS:
    case AHK_FAILED_CONNECT:
        ahk_explain_unreachable(f);
        return;
    case AHK_FAILED_RESET:
        ahk_explain(f, "%s: %s", f->host,
                    f->code == CURLE_SEND_FAIL_REWIND ? "the connection ended under the request" : f->detail);
        return;
    default:
        ahk_explain(f, "%s: %s", f->host, f->detail);
    }
}

ahk_outcome ahk_judge_transfer(const ahk_exchange *exchange, CURLcode code, ahk_error *err)
{
    AHK_REQUIRE(exchange->easy != NULL && exchange->request != NULL);
    err->text[0] = '\0';
    const ahk_facts f = gather(exchange, code, err);
    const ahk_outcome stopped = judge_stop(&f);
    if (stopped != AHK_SENT) {
        return stopped;
    }
    const ahk_outcome outcome = outcome_of(&f);
    if (outcome != AHK_SENT) {
        tell(&f, outcome);
    }
    const bool is_unreachable =
        outcome == AHK_FAILED_DNS || outcome == AHK_FAILED_CONNECT || outcome == AHK_FAILED_TIMEOUT;
    if (is_unreachable && !exchange->has_begun) {
        ahk_explain_environment(&f);
    }
    return outcome;
}
