/* TLS over a stream's socket, by OpenSSL itself: the libhiredis of Debian 12 has none, and that of later ones does not
 * look at the name in a certificate. */
#ifndef AHK_STREAM_TLS_H
#define AHK_STREAM_TLS_H

#include "stream.h"

/* What the functions of the same names in stream.h do, for a stream whose socket is connected. */
AHK_MUST_USE ahk_stream_result ahk_stream_tls_open(ahk_stream *stream, const ahk_stream_target *target, double deadline,
                                                   ahk_error *err);
AHK_MUST_USE ptrdiff_t ahk_stream_tls_read(ahk_stream *stream, char *buffer, size_t size, ahk_error *err);
AHK_MUST_USE ptrdiff_t ahk_stream_tls_write(ahk_stream *stream, const char *data, size_t length, ahk_error *err);
void ahk_stream_tls_close(ahk_stream *stream);

#endif
