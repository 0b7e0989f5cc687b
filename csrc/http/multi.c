#include "multi.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/c_locale.h"
#include "options.h"
#include "sigpipe.h"
#include "tls_library.h"
#include "verdict.h"

/* A server that ends each connection after few requests turns many away more than once. */
enum { RESENDS_MAX = 16 };

/* Also said of what is to be sent again: it does not say that nothing was sent. */
static const char NO_MEMORY[] = "out of memory: the request could not be started";

struct ahk_multi {
    CURLM *curl; /* made at first use */
    ahk_links links;
    pid_t owner;
    int most;
    ahk_transfer *running;
    ahk_transfer *finished;
    ahk_transfer **last; /* where the next one that is finished goes */
    char issuer[256];    /* of a certificate that was not trusted */
};

ahk_multi *ahk_multi_new(int most)
{
    AHK_REQUIRE(most > 0);
    ahk_multi *multi = calloc(1, sizeof *multi);
    if (multi != NULL) {
        multi->most = most;
        multi->owner = getpid();
        multi->last = &multi->finished;
    }
    return multi;
}

static bool is_inherited(const ahk_multi *multi)
{
    return multi->owner != getpid();
}

static bool make_curl(ahk_multi *multi)
{
    multi->curl = ahk_options_multi(multi->most);
    return multi->curl != NULL &&
           curl_multi_setopt(multi->curl, CURLMOPT_MAX_HOST_CONNECTIONS, (long)multi->most) == CURLM_OK;
}

static void take_out(ahk_transfer **list, const ahk_transfer *transfer)
{
    for (ahk_transfer **at = list; *at != NULL; at = &(*at)->next) {
        if (*at == transfer) {
            *at = transfer->next;
            return;
        }
    }
}

static void put_finished(ahk_multi *multi, ahk_transfer *transfer)
{
    transfer->next = NULL;
    *multi->last = transfer;
    multi->last = &transfer->next;
}

/* Hands one to libcurl. False, and why in its error, where that cannot be. */
static bool add(ahk_multi *multi, ahk_transfer *transfer)
{
    if (is_inherited(multi)) {
        return ahk_fail(&transfer->err, "the process was forked: this is the parent's to send");
    }
    if (multi->curl == NULL && !make_curl(multi)) {
        return ahk_fail(&transfer->err, NO_MEMORY);
    }
    if (!ahk_exchange_start(&transfer->exchange, &multi->links, &transfer->request, &transfer->err)) {
        return false;
    }
    if (curl_easy_setopt(transfer->exchange.easy, CURLOPT_PRIVATE, transfer) != CURLE_OK ||
        curl_multi_add_handle(multi->curl, transfer->exchange.easy) != CURLM_OK) {
        ahk_exchange_cancel(&transfer->exchange);
        return ahk_fail(&transfer->err, NO_MEMORY);
    }
    transfer->next = multi->running;
    multi->running = transfer;
    return true;
}

void ahk_multi_start(ahk_multi *multi, ahk_transfer *transfer)
{
    AHK_REQUIRE(transfer->multi == NULL);
    transfer->multi = multi;
    transfer->exchange.is_fresh = false;
    transfer->exchange.resends = 0;
    transfer->outcome = ahk_judge_request(&transfer->request, &transfer->err);
    if (transfer->outcome != AHK_SENT) {
        put_finished(multi, transfer);
    } else if (!add(multi, transfer)) {
        transfer->outcome = AHK_FAILED_CONNECT;
        put_finished(multi, transfer);
    }
}

/* Nothing was sent on a kept connection that turned out not to be fit: it is sent on a new one. */
static bool needs_fresh_connection(const ahk_transfer *transfer, ahk_outcome outcome)
{
    return outcome == AHK_FAILED_CONNECT && transfer->exchange.was_poisoned && !transfer->exchange.is_fresh;
}

/* A server that ends a connection of HTTP/2 (GOAWAY) refuses the streams that it has not looked at. libcurl would send
 * them again if it might read the body once more. It does not tell them from streams of a connection that broke,
 * though: so what comes of it is marked as sent again. */
static bool was_turned_away(const ahk_transfer *transfer, CURLcode code)
{
    return code == CURLE_SEND_FAIL_REWIND && transfer->exchange.is_multiplexed && !transfer->request.once &&
           transfer->exchange.resends < RESENDS_MAX;
}

static bool send_anew(ahk_multi *multi, ahk_transfer *transfer, CURLcode code, ahk_outcome outcome)
{
    ahk_exchange *exchange = &transfer->exchange;
    if (was_turned_away(transfer, code)) {
        exchange->resends++;
    } else if (needs_fresh_connection(transfer, outcome)) {
        exchange->is_fresh = true;
    } else {
        return false;
    }
    transfer->request.timeout_ms -= (long)exchange->timing.total;
    return transfer->request.timeout_ms > 0 && add(multi, transfer);
}

/* Once something was sent, "nothing was sent" is true of the last try alone. */
static ahk_outcome outcome_of_all(ahk_outcome last, int resends)
{
    const bool sent_nothing =
        last == AHK_FAILED_DNS || last == AHK_FAILED_CONNECT || last == AHK_FAILED_TLS || last == AHK_FAILED_PROXY;
    return resends > 0 && sent_nothing ? AHK_FAILED_RESET : last;
}

/* No request leaves on a connection that is not trusted any more; once nobody waits for anything on it, it is ended,
 * for libcurl would offer it again and again. */
static void retire_link(ahk_multi *multi, unsigned long id)
{
    const ahk_link *link = ahk_links_by_id(&multi->links, id);
    if (link == NULL || !link->tainted) {
        return;
    }
    for (const ahk_transfer *other = multi->running; other != NULL; other = other->next) {
        if (other->exchange.link_id == id) {
            return;
        }
    }
    (void)shutdown(link->fd, SHUT_RDWR);
}

static void conclude(ahk_multi *multi, ahk_transfer *transfer, CURLcode code)
{
    take_out(&multi->running, transfer);
    (void)memcpy(transfer->exchange.issuer, multi->issuer, sizeof multi->issuer);
    (void)curl_multi_remove_handle(multi->curl, transfer->exchange.easy);
    const ahk_outcome outcome = ahk_exchange_finish(&transfer->exchange, code, &transfer->err);
    transfer->outcome = outcome_of_all(outcome, transfer->exchange.resends);
    retire_link(multi, transfer->exchange.link_id);
    if (!send_anew(multi, transfer, code, outcome)) {
        put_finished(multi, transfer);
    }
}

static void collect(ahk_multi *multi)
{
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(multi->curl, &left)) != NULL) {
        ahk_transfer *transfer = NULL;
        const CURLcode code = message->data.result;
        if (message->msg == CURLMSG_DONE &&
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) == CURLE_OK && transfer != NULL) {
            conclude(multi, transfer, code);
        }
    }
}

static void perform(ahk_multi *multi)
{
    int running = 0;
    locale_t before;
    ahk_tls_note_issuer(multi->issuer, sizeof multi->issuer);
    const bool entered = ahk_c_locale_enter(&before); /* libcurl's messages hold the system's words */
    (void)curl_multi_perform(multi->curl, &running);
    if (entered) {
        ahk_c_locale_leave(before);
    }
    ahk_tls_forget_issuer();
    ahk_tls_clear_errors();
    for (ahk_transfer *transfer = multi->running; transfer != NULL; transfer = transfer->next) {
        ahk_exchange_look(&transfer->exchange);
    }
    collect(multi);
}

/* After a fork what is under way is the parent's. */
static void abandon(ahk_multi *multi)
{
    while (multi->running != NULL) {
        ahk_transfer *transfer = multi->running;
        multi->running = transfer->next;
        transfer->exchange.easy = NULL;
        transfer->outcome = AHK_FAILED_RESET;
        (void)ahk_fail(&transfer->err, "the process was forked while this was under way: the answer is the parent's");
        put_finished(multi, transfer);
    }
}

/* Waits, not for longer than that, until there is something to do. */
static void poll_all(ahk_multi *multi, int timeout_ms, const struct pollfd *others, unsigned int count)
{
    struct curl_waitfd also[AHK_MULTI_OTHERS] = {0};
    for (unsigned int i = 0; i < count; i++) {
        also[i].fd = others[i].fd;
        also[i].events = (short)(((others[i].events & POLLIN) != 0 ? CURL_WAIT_POLLIN : 0) |
                                 ((others[i].events & POLLOUT) != 0 ? CURL_WAIT_POLLOUT : 0));
    }
    (void)curl_multi_poll(multi->curl, also, count, timeout_ms, NULL);
}

bool ahk_multi_wait(ahk_multi *multi, int timeout_ms, const struct pollfd *others, unsigned int count)
{
    AHK_REQUIRE(count <= AHK_MULTI_OTHERS);
    ahk_sigpipe_guard guard;
    if (is_inherited(multi)) {
        abandon(multi);
        return false;
    }
    if (multi->curl == NULL && !make_curl(multi)) {
        return true;
    }
    ahk_sigpipe_block(&guard);
    perform(multi);
    if (multi->finished == NULL && timeout_ms > 0) {
        poll_all(multi, timeout_ms, others, count);
        perform(multi);
    }
    ahk_sigpipe_restore(&guard);
    return true;
}

ahk_transfer *ahk_multi_finished(ahk_multi *multi)
{
    ahk_transfer *transfer = multi->finished;
    if (transfer != NULL) {
        multi->finished = transfer->next;
        if (multi->finished == NULL) {
            multi->last = &multi->finished;
        }
        transfer->multi = NULL;
        transfer->next = NULL;
    }
    return transfer;
}

static void let_go(ahk_multi *multi, ahk_transfer *transfer)
{
    if (transfer->exchange.easy != NULL && !is_inherited(multi)) {
        (void)curl_multi_remove_handle(multi->curl, transfer->exchange.easy);
        ahk_exchange_cancel(&transfer->exchange);
    }
    transfer->exchange.easy = NULL; /* after a fork it is the parent's */
    transfer->multi = NULL;
    transfer->next = NULL;
}

void ahk_multi_stop(ahk_transfer *transfer)
{
    ahk_multi *multi = transfer->multi;
    if (multi == NULL) {
        return;
    }
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard); /* closing TLS writes */
    take_out(&multi->running, transfer);
    take_out(&multi->finished, transfer);
    multi->last = &multi->finished;
    while (*multi->last != NULL) {
        multi->last = &(*multi->last)->next;
    }
    let_go(multi, transfer);
    ahk_tls_clear_errors();
    ahk_sigpipe_restore(&guard);
}

void ahk_multi_free(ahk_multi *multi)
{
    if (multi == NULL) {
        return;
    }
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard); /* closing TLS writes */
    while (multi->running != NULL) {
        ahk_multi_stop(multi->running);
    }
    while (multi->finished != NULL) {
        ahk_multi_stop(multi->finished);
    }
    if (multi->curl != NULL && !is_inherited(multi)) {
        (void)curl_multi_cleanup(multi->curl);
    }
    ahk_links_free(&multi->links);
    ahk_tls_clear_errors();
    ahk_sigpipe_restore(&guard);
    free(multi);
}
