/* The connections of many exchanges at once, and which of them may be used again.
 *
 * libcurl picks a kept connection by itself; it says which one, by its port, just before the request leaves. So each
 * socket that it opens is noted here until it closes it, with what is known of it. The rule is that of a transport's
 * connections (connections.h), for each by itself: nothing to read on it, and nothing told on it that was not asked. */
#ifndef AHK_LINKS_H
#define AHK_LINKS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"

typedef struct ahk_link {
    unsigned long id; /* from 1 on; a descriptor may come again */
    curl_socket_t fd;
    int port;         /* of our end, 0 before it is connected */
    bool multiplexed; /* HTTP/2: its streams have numbers, and its peer may speak unasked */
    bool tainted;     /* more was said on it than was asked for */
    struct ahk_link *next;
} ahk_link;

/* Zeroed: none. */
typedef struct {
    ahk_link *first;
    unsigned long last_id;
} ahk_links;

/* Notes a socket that was opened. False when memory is short. */
AHK_MUST_USE bool ahk_links_add(ahk_links *links, curl_socket_t fd);

/* For CURLOPT_CLOSESOCKETFUNCTION, with the links as its data: closes and forgets. */
int ahk_links_close(void *links, curl_socket_t fd);

/* The one with that port at our end, and the one of that number; NULL where it is closed. libcurl may close any of them
 * whenever it runs: none is kept beyond that. */
ahk_link *ahk_links_by_port(ahk_links *links, int port);
ahk_link *ahk_links_by_id(ahk_links *links, unsigned long id);

/* Whether a request may leave on it now. `session`: what ahk_tls_session says. */
bool ahk_link_is_quiet(const ahk_link *link, const void *session);

/* Forgets all, whatever is open: after a fork they are the parent's. */
void ahk_links_free(ahk_links *links);

#endif
