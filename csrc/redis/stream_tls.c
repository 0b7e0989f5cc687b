#include "stream_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>

#include "../http/descriptors.h"

static const char NO_MEMORY[] = "out of memory";

static ahk_stream_result untrusted(ahk_error *err, const char *what, const char *cure)
{
    const unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    (void)ahk_fail(err, "%s (%s): %s", what, reason != NULL ? reason : "OpenSSL gives no reason", cure);
    ERR_clear_error();
    return AHK_STREAM_UNTRUSTED;
}

static ahk_stream_result unreachable(ahk_error *err, const char *why)
{
    ERR_clear_error();
    (void)ahk_fail(err, "%s", why);
    return AHK_STREAM_UNREACHABLE;
}

/* ---- the handshake -------------------------------------------------------------------------------- */

static bool load_authorities(SSL_CTX *context, const char *ca_file)
{
    return ca_file != NULL ? SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1
                           : SSL_CTX_set_default_verify_paths(context) == 1;
}

/* The name that the certificate has to have; an address is looked for among its addresses, and is none for SNI. */
static bool expect_name(SSL *ssl, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1) {
        return true;
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

static ahk_stream_result prepare(ahk_stream *stream, const ahk_stream_target *target, ahk_error *err)
{
    const char *name = target->server_name != NULL ? target->server_name : target->host;
    if (strlen(name) > TLSEXT_MAXLEN_host_name) {
        (void)ahk_fail(err, "tls.server_name is longer than a name may be (%d bytes)", TLSEXT_MAXLEN_host_name);
        return AHK_STREAM_UNTRUSTED;
    }
    stream->context = SSL_CTX_new(TLS_client_method());
    if (stream->context == NULL || SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION) != 1) {
        return unreachable(err, NO_MEMORY);
    }
    SSL_CTX_set_verify(stream->context, target->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (target->verify) {
        const bool is_loaded = load_authorities(stream->context, target->ca_file);
        /* Of the system's, OpenSSL opens some in the handshake, and says of none that it could not. */
        stream->no_descriptors = (!is_loaded || target->ca_file == NULL) && !ahk_descriptors_left(1);
        if (stream->no_descriptors) {
            return unreachable(err, AHK_NO_DESCRIPTORS);
        }
        if (!is_loaded) {
            return untrusted(err, "tls.ca_file cannot be read", "expected the CA's certificate as PEM");
        }
    }
    stream->ssl = SSL_new(stream->context);
    if (stream->ssl == NULL || SSL_set_fd(stream->ssl, stream->fd) != 1 || !expect_name(stream->ssl, name)) {
        return unreachable(err, NO_MEMORY);
    }
    (void)SSL_set_mode(stream->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return AHK_STREAM_OPEN;
}

/* Whether it has to wait, and for what. */
static bool must_wait(ahk_stream *stream, int code)
{
    if (code == SSL_ERROR_WANT_READ) {
        stream->events |= POLLIN;
    } else if (code == SSL_ERROR_WANT_WRITE) {
        stream->events |= POLLOUT;
    } else {
        return false;
    }
    return true;
}

/* Whether the server left without a goodbye, which OpenSSL before 3 does not call an error of TLS. */
static bool has_ended(void)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    return ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
#else
    return false;
#endif
}

static ahk_stream_result explain_handshake(const ahk_stream *stream, int code, ahk_error *err)
{
    const long verdict = SSL_get_verify_result(stream->ssl);
    if (verdict != X509_V_OK && SSL_get_verify_mode(stream->ssl) != SSL_VERIFY_NONE) {
        (void)ahk_fail(err,
                       "its certificate is not accepted (%s): tls.ca_file names the CA that issued it, "
                       "tls.server_name the name that it is for",
                       X509_verify_cert_error_string(verdict));
        ERR_clear_error();
        return AHK_STREAM_UNTRUSTED;
    }
    if (code == SSL_ERROR_SYSCALL || code == SSL_ERROR_ZERO_RETURN || has_ended()) {
        return unreachable(err, "the server closed the connection during the TLS handshake: does this port speak TLS?");
    }
    return untrusted(err, "no TLS", "does this port speak TLS 1.2 or 1.3, without a client certificate?");
}

ahk_stream_result ahk_stream_tls_open(ahk_stream *stream, const ahk_stream_target *target, double deadline,
                                      ahk_error *err)
{
    ERR_clear_error();
    const ahk_stream_result result = prepare(stream, target, err);
    if (result != AHK_STREAM_OPEN) {
        return result;
    }
    for (;;) {
        const int done = SSL_connect(stream->ssl);
        if (done == 1) {
            return AHK_STREAM_OPEN;
        }
        const int code = SSL_get_error(stream->ssl, done);
        if (!must_wait(stream, code)) {
            return explain_handshake(stream, code, err);
        }
        if (!ahk_stream_wait(stream, deadline)) {
            (void)ahk_fail(err, "no TLS handshake within connect_timeout_ms: does this port speak TLS?");
            return AHK_STREAM_LATE;
        }
    }
}

/* ---- what goes over it ---------------------------------------------------------------------------- */

/* What a read or a write gives. */
static ptrdiff_t after(ahk_stream *stream, int done, size_t n, ahk_error *err)
{
    if (done == 1) {
        return (ptrdiff_t)n;
    }
    const int code = SSL_get_error(stream->ssl, done);
    if (must_wait(stream, code)) {
        return 0;
    }
    if (code == SSL_ERROR_SSL && !has_ended()) {
        (void)untrusted(err, "TLS broke", "the server's log may say more");
    } else {
        (void)ahk_fail(err, "the server closed the connection");
    }
    ERR_clear_error();
    return -1;
}

ptrdiff_t ahk_stream_tls_read(ahk_stream *stream, char *buffer, size_t size, ahk_error *err)
{
    size_t n = 0;
    ERR_clear_error();
    const int done = SSL_read_ex(stream->ssl, buffer, size, &n);
    return after(stream, done, n, err);
}

ptrdiff_t ahk_stream_tls_write(ahk_stream *stream, const char *data, size_t length, ahk_error *err)
{
    size_t n = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(stream->ssl, data, length, &n);
    return after(stream, done, n, err);
}

void ahk_stream_tls_close(ahk_stream *stream)
{
    if (stream->context == NULL) {
        return;
    }
    SSL_free(stream->ssl);
    SSL_CTX_free(stream->context);
    ERR_clear_error(); /* that too may fail where memory is short */
    stream->ssl = NULL;
    stream->context = NULL;
}
