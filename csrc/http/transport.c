#include "transport.h"

#include <stdlib.h>

#include "connections.h"
#include "descriptors.h"
#include "sigpipe.h"
#include "tls_library.h"
#include "verdict.h"

struct ahk_transport {
    ahk_connections connections;
};

ahk_transport *ahk_transport_new(void)
{
    return calloc(1, sizeof(ahk_transport));
}

void ahk_transport_free(ahk_transport *transport)
{
    if (transport == NULL) {
        return;
    }
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard); /* closing a TLS connection writes to it */
    ahk_connections_free(&transport->connections);
    ahk_tls_clear_errors();
    ahk_sigpipe_restore(&guard);
    free(transport);
}

static ahk_outcome send_guarded(ahk_transport *t, ahk_exchange *x, const ahk_request *request, ahk_error *err)
{
    if (!ahk_connections_ready(&t->connections)) {
        x->no_descriptors = !ahk_descriptors_left(AHK_DESCRIPTORS_AT_ONCE);
        ahk_fail(err, "%s: nothing was sent", x->no_descriptors ? AHK_NO_DESCRIPTORS : "out of memory");
        return AHK_FAILED_CONNECT;
    }
    return ahk_exchange_run(x, &t->connections, request, err);
}

/* Sends the request on a new connection, in the time that is left. The server never had the whole request. */
static ahk_outcome send_anew(ahk_transport *t, ahk_exchange *x, const ahk_request *request, ahk_error *err)
{
    ahk_request rest = *request;
    rest.timeout_ms -= (long)x->timing.total;
    return rest.timeout_ms > 0 ? send_guarded(t, x, &rest, err) : AHK_FAILED_CONNECT;
}

ahk_outcome ahk_transport_send(ahk_transport *transport, ahk_exchange *exchange, const ahk_request *request,
                               ahk_error *err)
{
    AHK_REQUIRE(transport != NULL && exchange != NULL && request->url != NULL);
    ahk_sigpipe_guard guard;
    ahk_outcome outcome = ahk_judge_request(request, err);
    if (outcome != AHK_SENT) {
        return outcome;
    }
    ahk_sigpipe_block(&guard);
    outcome = send_guarded(transport, exchange, request, err);
    if (outcome == AHK_FAILED_CONNECT && exchange->was_poisoned) {
        outcome = send_anew(transport, exchange, request, err);
    }
    ahk_sigpipe_restore(&guard);
    return outcome;
}
