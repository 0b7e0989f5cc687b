/* The connections that a transport keeps, and when they are no longer trusted.
 *
 * Nothing in HTTP/1.1 says which request an answer belongs to but its place on the connection. So a kept connection is
 * used only while there is nothing to read on it: bytes that nobody asked for would be taken for the next answer. One
 * that has any, or has ended, is closed, and all others with it: libcurl closes them together or not at all, and there
 * is hardly ever more than one. Streams of HTTP/2 have numbers, and its peers may speak unasked. */
#ifndef AHK_CONNECTIONS_H
#define AHK_CONNECTIONS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "../base/contract.h"

enum { AHK_KEPT_MAX = 5 };

typedef struct {
    curl_socket_t fd;
    dev_t device; /* these two tell it from a later file of the same number */
    ino_t inode;
    bool multiplexed;
} ahk_kept;

/* Zeroed: none. */
typedef struct {
    CURLM *multi;     /* owns them; made at first use */
    CURLSH *sessions; /* of TLS, to resume */
    pid_t owner;
    ahk_kept kept[AHK_KEPT_MAX];
    size_t count;
} ahk_connections;

/* Makes what is missing, abandons what a fork brought here, closes what cannot be trusted. False when memory or
 * descriptors are short. */
AHK_MUST_USE bool ahk_connections_ready(ahk_connections *connections);

/* Whether every kept connection is as silent as it has to be before a request. */
bool ahk_connections_are_quiet(const ahk_connections *connections);

/* Whether all that was written to them has arrived. A server answers what it has received, and TCP says first that it
 * has: until then, whatever comes is no answer. */
bool ahk_connections_are_acknowledged(const ahk_connections *connections);

/* Remembers the connection of a transfer that went well; before the transfer is taken from `multi`. `session` is what
 * ahk_tls_session said during it; `multiplexed`: it is one of HTTP/2. False where it must not be used again: the caller
 * drops it. */
AHK_MUST_USE bool ahk_connections_keep(ahk_connections *connections, CURL *easy, const void *session, bool multiplexed);

/* Closes them. TLS sessions stay. */
void ahk_connections_drop(ahk_connections *connections);

/* Closes and frees all. */
void ahk_connections_free(ahk_connections *connections);

#endif
