/* Many exchanges at once, on one thread.
 *
 * All of them have one set of connections, as many as are needed for HTTP/1.1, few for HTTP/2. What is believed of an
 * answer, and what becomes of it, is what a transport (transport.h) makes of it. After a fork the child's copy does
 * nothing any more: to close a shared TLS connection would say goodbye in the parent's name. */
#ifndef AHK_MULTI_H
#define AHK_MULTI_H

#include <poll.h>

#include "exchange.h"

typedef struct ahk_multi ahk_multi;

/* One of many. Zeroed: none. It has to stay where it is until it is finished or stopped. */
typedef struct ahk_transfer {
    ahk_exchange exchange; /* with the request's headers */
    ahk_request request;   /* what it points to has to stay, too */
    ahk_outcome outcome;
    ahk_error err;    /* why, unless AHK_SENT */
    ahk_multi *multi; /* while it is under way */
    struct ahk_transfer *next;
} ahk_transfer;

/* `most`: how many will be under way at once. No I/O. NULL when memory is short. */
AHK_MUST_USE ahk_multi *ahk_multi_new(int most);

/* Stops all that are under way. NULL is fine. */
void ahk_multi_free(ahk_multi *multi);

/* Begins a transfer. Where that fails it is finished at once. */
void ahk_multi_start(ahk_multi *multi, ahk_transfer *transfer);

enum { AHK_MULTI_OTHERS = 2 };

/* Drives them until something happens on one of them, for that long at most; or on one of `count` other descriptors,
 * AHK_MULTI_OTHERS at most: POLLIN, POLLOUT. False, at once, in a child of a fork. */
bool ahk_multi_wait(ahk_multi *multi, int timeout_ms, const struct pollfd *others, unsigned int count);

/* Takes the next one that is finished; NULL for none. */
ahk_transfer *ahk_multi_finished(ahk_multi *multi);

/* Takes one out, whatever it is at. */
void ahk_multi_stop(ahk_transfer *transfer);

#endif
