/* One signed POST at a time over libcurl, on connections that are kept.
 *
 * A transport belongs to one thread. After a fork the child abandons what it inherited: to close a
 * shared TLS connection would say goodbye in the parent's name. */
#ifndef AHK_TRANSPORT_H
#define AHK_TRANSPORT_H

#include "../base/contract.h"
#include "exchange.h"

typedef struct ahk_transport ahk_transport;

/* No I/O. NULL when memory is short. */
AHK_MUST_USE ahk_transport *ahk_transport_new(void);

/* NULL is fine. */
void ahk_transport_free(ahk_transport *transport);

/* Sends the exchange's headers with the request; the answer is then in the exchange. Sets the text unless AHK_SENT. */
AHK_MUST_USE ahk_outcome ahk_transport_send(ahk_transport *transport, ahk_exchange *exchange,
                                            const ahk_request *request, ahk_error *err);

#endif
