/* What libcurl keeps to itself of the TLS library under it. Works where that is OpenSSL or a kin of it; elsewhere these
 * do nothing. Which one it is and where it lies is found out at run time: that of this process's other half
 * (alipayhk.core), or of Lua's other modules, may be another. */
#ifndef AHK_TLS_LIBRARY_H
#define AHK_TLS_LIBRARY_H

#include <curl/curl.h>
#include <stdbool.h>

/* The TLS session that a transfer runs on, NULL when there is none. From within libcurl's callbacks only; usable as
 * long as the connection is. */
const void *ahk_tls_session(CURL *easy);

/* Whether bytes that nobody has asked for yet lie between the socket and libcurl. NULL has none. */
bool ahk_tls_has_unread(const void *session);

/* Whether both sides have agreed on HTTP/2 for it; `otherwise` where nobody can tell. */
bool ahk_tls_has_agreed_on_h2(const void *session, bool otherwise);

/* From note to forget who signed a certificate that verification fails on, in this thread's transfers that are watched,
 * is noted in `issuer`, which has to stay. Changes nothing about verification. */
void ahk_tls_watch_issuer(CURL *easy);
void ahk_tls_note_issuer(char *issuer, size_t size);
void ahk_tls_forget_issuer(void);

/* libcurl leaves errors behind in OpenSSL's queue, which belongs to the thread. */
void ahk_tls_clear_errors(void);

#endif
