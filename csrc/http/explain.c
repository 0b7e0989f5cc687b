#include "explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proxy.h"

/* OpenSSL's codes for a failed verification (X509_V_ERR_*). */
enum {
    NO_ISSUER = 2,
    NOT_YET_VALID = 9,
    HAS_EXPIRED = 10,
    SELF_SIGNED = 18,
    SELF_SIGNED_IN_CHAIN = 19,
    NO_ISSUER_HERE = 20,
    NOT_VERIFIED = 21
};

void ahk_explain(const ahk_facts *f, const char *format, ...)
{
    const size_t length = strlen(f->err->text);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(f->err->text + length, sizeof f->err->text - length, format, args);
    va_end(args);
}

bool ahk_facts_say(const ahk_facts *f, const char *words)
{
    return strstr(f->x->detail, words) != NULL;
}

/* Where the proxy was set: the name of a variable or of our option. */
static const char *proxy_source(const ahk_facts *f)
{
    const char *variable = ahk_proxy_variable(ahk_request_is_tls(f->request));
    return f->request->proxy_environment && variable != NULL ? variable : "`proxy`";
}

static void name_way(const ahk_facts *f)
{
    if (f->proxy != NULL) {
        ahk_explain(f, " by way of the proxy %s", f->proxy_host);
    }
}

/* The names that the server's certificate is for, NULL where they are not known. */
static const char *certified_names(const ahk_facts *f)
{
    static const char *const wanted[] = {"Subject Alternative Name:", "Subject:"};
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(f->x->easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
        chain->num_of_certs < 1) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next) {
            const char *found = strstr(line->data, wanted[i]);
            if (found != NULL) {
                return found + strlen(wanted[i]);
            }
        }
    }
    return NULL;
}

/* ---- time --------------------------------------------------------------------------------------- */

static const char *activity(const ahk_facts *f)
{
    const ahk_exchange *x = f->x;
    if (!x->has_begun) {
        return x->timing.dns <= 0 ? "while a name was looked up"
               : !x->is_connected ? "while a connection was made"
               : f->proxy != NULL ? "before the connection was ready"
                                  : "during the TLS handshake";
    }
    return x->sent < f->request->body.length ? "while the request was being sent"
           : x->first_byte <= 0              ? "without an answer"
                                             : "before the answer was whole";
}

void ahk_explain_timeout(const ahk_facts *f)
{
    const ahk_request *r = f->request;
    const bool is_of_connecting = !f->x->has_begun && r->connect_timeout_ms < r->timeout_ms;
    ahk_explain(f, "%s: the %ld ms of `%s` passed %s", f->host,
                is_of_connecting ? r->connect_timeout_ms : r->timeout_ms,
                is_of_connecting ? "connect_timeout_ms" : "timeout_ms", activity(f));
    name_way(f);
}

/* ---- TLS ---------------------------------------------------------------------------------------- */

static void tell_untrusted(const ahk_facts *f)
{
    long result = 0;
    (void)curl_easy_getinfo(f->x->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    switch (result) {
    case HAS_EXPIRED:
    case NOT_YET_VALID:
        ahk_explain(f, " (or this machine's clock is wrong)");
        break;
    case NO_ISSUER:
    case SELF_SIGNED:
    case SELF_SIGNED_IN_CHAIN:
    case NO_ISSUER_HERE:
    case NOT_VERIFIED:
        if (f->x->issuer[0] != '\0') {
            ahk_explain(f, ": it was issued by %s", f->x->issuer);
        }
        ahk_explain(f, "; `tls.ca_file` has to hold the certificate of the CA that issued it%s",
                    f->request->ca_file != NULL ? ", and holds others" : " (none is set: the system's CAs were tried)");
        break;
    default: {
        const char *names = certified_names(f);
        if (names != NULL) {
            ahk_explain(f, "; its certificate is for %.200s", names);
        }
    }
    }
}

static void tell_alert(const ahk_facts *f)
{
    if (ahk_facts_say(f, "alert protocol version")) {
        ahk_explain(f, "; it does not speak the TLS that `tls.min_version` asks for");
    } else if (f->request->client_cert == NULL) {
        ahk_explain(f, "; it may want a certificate of ours: `tls.client_cert` and `tls.client_key`");
    } else {
        ahk_explain(f, "; it does not accept `tls.client_cert`");
    }
}

void ahk_explain_tls(const ahk_facts *f)
{
    ahk_explain(f, "TLS with %s", f->host);
    name_way(f);
    ahk_explain(f, ": %s", f->detail);
    switch (f->code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        tell_untrusted(f);
        return;
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        ahk_explain(f, "; its key is none of `tls.pinned_public_key`");
        return;
    case CURLE_SSL_CACERT_BADFILE:
        ahk_explain(f, "; check `tls.ca_file` (%s)", f->request->ca_file != NULL ? f->request->ca_file : "not set");
        return;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        ahk_explain(f, "; check `tls.client_cert` (%s) and `tls.client_key` (%s)",
                    f->request->client_cert != NULL ? f->request->client_cert : "not set",
                    f->request->client_key != NULL ? f->request->client_key : "not set");
        return;
    default:
        break;
    }
    if (ahk_facts_say(f, " alert ")) {
        tell_alert(f);
    } else if (ahk_facts_say(f, "wrong version number") || ahk_facts_say(f, "packet length too long")) {
        ahk_explain(f, "; nobody speaks TLS on that port");
    } else if (ahk_facts_say(f, "unsupported protocol")) {
        ahk_explain(f, "; it does not speak the TLS that `tls.min_version` asks for");
    }
}

/* ---- proxies ------------------------------------------------------------------------------------ */

void ahk_explain_refusal(const ahk_facts *f)
{
    ahk_explain(f, "the proxy %s would not connect to %s: ", f->proxy_host, f->host);
    if (f->x->proxy_status == 0) {
        ahk_explain(f, "%s", f->detail);
    } else {
        ahk_explain(f, "status %ld", f->x->proxy_status);
    }
    if (f->x->proxy_status == 407) {
        ahk_explain(f, "; it wants credentials in %s: http://user:password@host:port", proxy_source(f));
    } else if (f->x->proxy_status == 403) {
        ahk_explain(f, "; it has to be told to allow that");
    }
}

void ahk_explain_unreachable(const ahk_facts *f)
{
    /* Not where the environment names the proxy: no_proxy may except this host. */
    const bool is_of_proxy =
        f->code == CURLE_COULDNT_RESOLVE_PROXY || (f->proxy != NULL && !f->request->proxy_environment &&
                                                   !f->x->is_connected && f->code != CURLE_SSL_CONNECT_ERROR);
    if (is_of_proxy && ahk_facts_say(f, "proxy syntax")) {
        ahk_explain(f, "the proxy's URL cannot be read (http://user:password@host:port); check %s", proxy_source(f));
        return;
    }
    if (is_of_proxy) {
        ahk_explain(f, "the proxy %s cannot be reached: %s; check %s", f->proxy_host, f->detail, proxy_source(f));
        return;
    }
    ahk_explain(f, "%s", f->host);
    name_way(f);
    ahk_explain(f, ": %s", f->detail);
    if (f->code == CURLE_SSL_CONNECT_ERROR) {
        ahk_explain(f, "; the connection ended during the TLS handshake: nothing was sent");
    }
}

void ahk_explain_environment(const ahk_facts *f)
{
    const char *variable = ahk_proxy_variable(ahk_request_is_tls(f->request));
    if (f->request->proxy == NULL && !f->request->proxy_environment && variable != NULL) {
        ahk_explain(f, "; %s is set and not used: `proxy = \"environment\"` would", variable);
    }
}
