/* A TCP connection to a server, over TLS or not, which never waits longer than it was told.
 *
 * The socket is non-blocking and closed on exec. Names are looked up by the system's resolver, which has limits of its
 * own. A write to a closed connection raises SIGPIPE: callers hold a guard (csrc/http/sigpipe.h). */
#ifndef AHK_STREAM_H
#define AHK_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"

typedef struct {
    const char *host; /* a name or an address; an IPv6 one without brackets */
    const char *port;
    bool tls;
    bool verify;             /* the server's certificate and its name */
    const char *ca_file;     /* NULL: those that the system trusts */
    const char *server_name; /* NULL: the host */
} ahk_stream_target;

/* Zeroed: closed. */
typedef struct {
    bool is_open;
    bool no_descriptors; /* opening failed for want of them */
    int fd;
    short events;               /* see ahk_stream_events */
    struct ssl_ctx_st *context; /* NULL without TLS */
    struct ssl_st *ssl;
} ahk_stream;

typedef enum {
    AHK_STREAM_OPEN,
    AHK_STREAM_UNREACHABLE,
    AHK_STREAM_LATE,
    AHK_STREAM_UNTRUSTED, /* TLS: no common ground, or a certificate that is not accepted */
} ahk_stream_result;

/* Connects until `deadline`, in seconds of ahk_monotonic. Whatever it gives, ahk_stream_close is due. */
AHK_MUST_USE ahk_stream_result ahk_stream_open(ahk_stream *stream, const ahk_stream_target *target, double deadline,
                                               ahk_error *err);

/* Neither waits. > 0: so many bytes; 0: none at the moment; -1: the connection is over, and why. */
AHK_MUST_USE ptrdiff_t ahk_stream_read(ahk_stream *stream, char *buffer, size_t size, ahk_error *err);
AHK_MUST_USE ptrdiff_t ahk_stream_write(ahk_stream *stream, const char *data, size_t length, ahk_error *err);

/* For what reads and writes would have had to wait, POLLIN and POLLOUT, since they were last asked. */
AHK_MUST_USE short ahk_stream_events(ahk_stream *stream);

/* Waits for that; false at the deadline. */
AHK_MUST_USE bool ahk_stream_wait(ahk_stream *stream, double deadline);

/* Without a word to the server: after a fork it is the parent's connection. */
void ahk_stream_close(ahk_stream *stream);

#endif
