#include "redis.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../http/sigpipe.h"

enum { READ_SIZE = 16 * 1024, PEER_SIZE = 280, MS = 1000 };

static const char NOT_REDIS[] = "is it the right port, and does it want TLS (rediss://)?";

struct ahk_redis {
    ahk_stream stream;
    redisReader *reader;
    const redisReplyObjectFunctions *defaults; /* libhiredis's own */
    redisReplyObjectFunctions functions;       /* the same, but for lists: those are counted */
    size_t elements;
    bool is_over;    /* the limits of a reply */
    bool has_spoken; /* the server, ever */
    pid_t owner;
    long timeout_ms;
    char peer[PEER_SIZE]; /* host:port, for messages */
    ahk_error broken;     /* why it is not used any more */
};

/* ---- commands ------------------------------------------------------------------------------------- */

static bool append_head(ahk_redis_exchange *exchange, char kind, size_t number)
{
    char line[32];
    const int length = snprintf(line, sizeof line, "%c%zu\r\n", kind, number);
    return length > 0 && ahk_buffer_append(&exchange->request, line, (size_t)length);
}

bool ahk_redis_command(ahk_redis_exchange *exchange, size_t arguments)
{
    AHK_REQUIRE(arguments > 0);
    if (exchange->commands == 0) {
        ahk_buffer_reset(&exchange->request, AHK_REDIS_REQUEST_MAX);
    }
    if (exchange->commands == AHK_REDIS_COMMANDS_MAX) {
        return false;
    }
    exchange->commands++;
    return append_head(exchange, '*', arguments);
}

bool ahk_redis_argument(ahk_redis_exchange *exchange, ahk_slice argument)
{
    AHK_REQUIRE(exchange->commands > 0 && ahk_slice_is_valid(argument));
    return append_head(exchange, '$', argument.length) &&
           ahk_buffer_append(&exchange->request, (const char *)argument.data, argument.length) &&
           ahk_buffer_append(&exchange->request, "\r\n", 2);
}

void ahk_redis_exchange_free(ahk_redis_exchange *exchange)
{
    for (size_t i = 0; i < exchange->count; i++) {
        freeReplyObject(exchange->replies[i]);
    }
    free(exchange->replies);
    if (exchange->request.data != NULL) {
        OPENSSL_cleanse(exchange->request.data, exchange->request.length);
    }
    ahk_buffer_free(&exchange->request);
    *exchange = (ahk_redis_exchange){0};
}

/* ---- replies -------------------------------------------------------------------------------------- */

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

static int depth_of(const redisReadTask *task)
{
    int depth = 1;
    for (; task->parent != NULL; task = task->parent) {
        depth++;
    }
    return depth;
}

/* A list's room is taken when its head is read, so its head may not promise too much. */
static void *create_array(const redisReadTask *task, element_count elements)
{
    ahk_redis *redis = task->privdata;
    if (depth_of(task) > AHK_REDIS_DEPTH_MAX || (size_t)elements > AHK_REDIS_ELEMENTS_MAX - redis->elements) {
        redis->is_over = true;
        return NULL;
    }
    redis->elements += (size_t)elements;
    return redis->defaults->createArray(task, elements);
}

static bool make_reader(ahk_redis *redis)
{
    redis->reader = redisReaderCreate();
    if (redis->reader == NULL) {
        return false;
    }
    redis->defaults = redis->reader->fn;
    redis->functions = *redis->reader->fn;
    redis->functions.createArray = create_array;
    redis->reader->fn = &redis->functions;
    redis->reader->privdata = redis;
    return true;
}

/* ---- the life of a connection ---------------------------------------------------------------------- */

ahk_redis *ahk_redis_new(const char *host, const char *port, long timeout_ms)
{
    AHK_REQUIRE(host != NULL && port != NULL && timeout_ms > 0);
    ahk_redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL || !make_reader(redis)) {
        free(redis);
        return NULL;
    }
    redis->owner = getpid();
    redis->timeout_ms = timeout_ms;
    (void)ahk_fail(&redis->broken, "it was not opened");
    const char *format = strchr(host, ':') != NULL ? "[%.*s]:%s" : "%.*s:%s";
    (void)snprintf(redis->peer, sizeof redis->peer, format, ahk_shown(host, PEER_SIZE - 24), host, port);
    return redis;
}

void ahk_redis_free(ahk_redis *redis)
{
    if (redis != NULL) {
        ahk_stream_close(&redis->stream);
        redisReaderFree(redis->reader);
        free(redis);
    }
}

bool ahk_redis_is_usable(const ahk_redis *redis)
{
    return redis->stream.is_open && redis->owner == getpid();
}

/* Closes it, and puts before the message whose it is. */
static ahk_redis_outcome give_up(ahk_redis *redis, ahk_redis_outcome outcome, ahk_error *err)
{
    ahk_stream_close(&redis->stream);
    redis->broken = *err;
    (void)ahk_fail(err, "%s: %s", redis->peer, redis->broken.text);
    return outcome;
}

ahk_redis_outcome ahk_redis_connect(ahk_redis *redis, const ahk_stream_target *target, long connect_timeout_ms,
                                    bool *no_descriptors, ahk_error *err)
{
    static const ahk_redis_outcome outcomes[] = {
        [AHK_STREAM_OPEN] = AHK_REDIS_DONE,
        [AHK_STREAM_UNREACHABLE] = AHK_REDIS_CONNECTION,
        [AHK_STREAM_LATE] = AHK_REDIS_TIMEOUT,
        [AHK_STREAM_UNTRUSTED] = AHK_REDIS_TLS,
    };
    AHK_REQUIRE(!redis->stream.is_open && connect_timeout_ms > 0);
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard); /* a handshake writes */
    const double deadline = ahk_monotonic() + (double)connect_timeout_ms / MS;
    const ahk_redis_outcome outcome = outcomes[ahk_stream_open(&redis->stream, target, deadline, err)];
    *no_descriptors = redis->stream.no_descriptors;
    if (outcome != AHK_REDIS_DONE) {
        (void)give_up(redis, outcome, err);
    }
    ahk_sigpipe_restore(&guard);
    return outcome;
}

/* ---- an exchange ----------------------------------------------------------------------------------- */

/* Why the reader does not go on. */
static ahk_redis_outcome explain_reader(const ahk_redis *redis, ahk_error *err)
{
    if (redis->is_over) {
        (void)ahk_fail(err, "a reply has more than %d elements, or lists in lists deeper than %d",
                       AHK_REDIS_ELEMENTS_MAX, AHK_REDIS_DEPTH_MAX);
        return AHK_REDIS_PROTOCOL;
    }
    if (redis->reader->err == REDIS_ERR_OOM) {
        (void)ahk_fail(err, "out of memory");
        return AHK_REDIS_NO_MEMORY;
    }
    (void)ahk_fail(err, "what came is not Redis's protocol (%s): %s", redis->reader->errstr, NOT_REDIS);
    return AHK_REDIS_PROTOCOL;
}

/* Reads what has come, as far as it has; `n`: how much that was. */
static ahk_redis_outcome read_some(ahk_redis *redis, size_t *n, ahk_error *err)
{
    char bytes[READ_SIZE];
    const ptrdiff_t length = ahk_stream_read(&redis->stream, bytes, sizeof bytes, err);
    *n = length > 0 ? (size_t)length : 0;
    redis->has_spoken = redis->has_spoken || length > 0;
    if (length < 0) {
        return AHK_REDIS_CONNECTION;
    }
    return length == 0 || redisReaderFeed(redis->reader, bytes, *n) == REDIS_OK ? AHK_REDIS_DONE
                                                                                : explain_reader(redis, err);
}

static ahk_redis_outcome take_reply(ahk_redis *redis, redisReply **reply, ahk_error *err)
{
    void *taken = NULL;
    const bool is_fine = redisReaderGetReply(redis->reader, &taken) == REDIS_OK;
    *reply = taken;
    return is_fine ? AHK_REDIS_DONE : explain_reader(redis, err);
}

/* Before anything is sent nothing may have come, and the server may not have closed: it may close an idle connection,
 * and say to a new one why it does not serve it. */
static ahk_redis_outcome look(ahk_redis *redis, ahk_error *err)
{
    size_t n = 0;
    redisReply *reply = NULL;
    ahk_redis_outcome outcome = read_some(redis, &n, err);
    if (outcome != AHK_REDIS_DONE || (n == 0 && redis->reader->pos == redis->reader->len)) {
        return outcome;
    }
    outcome = take_reply(redis, &reply, err);
    if (outcome == AHK_REDIS_DONE) {
        outcome = AHK_REDIS_CONNECTION;
        (void)ahk_fail(err, "the server spoke before it was asked: %.*s",
                       reply != NULL && reply->type == REDIS_REPLY_ERROR ? ahk_shown(reply->str, 256) : 0,
                       reply != NULL && reply->str != NULL ? reply->str : "");
    }
    freeReplyObject(reply);
    return outcome;
}

static ahk_redis_outcome take_replies(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    while (exchange->count < exchange->commands) {
        redisReply *reply = NULL;
        const ahk_redis_outcome outcome = take_reply(redis, &reply, err);
        if (reply == NULL) {
            return outcome;
        }
        exchange->replies[exchange->count++] = reply;
    }
    return AHK_REDIS_DONE;
}

/* The server may close before it has read everything, and have said why: so what has come is read all the same. Gives
 * whether something went. */
static bool write_some(ahk_redis *redis, ahk_redis_exchange *exchange)
{
    ahk_error unheard = AHK_ERROR_INIT;
    const size_t left = exchange->request.length - exchange->written;
    if (left == 0) {
        return false;
    }
    const ptrdiff_t n = ahk_stream_write(&redis->stream, exchange->request.data + exchange->written, left, &unheard);
    exchange->written += n > 0 ? (size_t)n : 0;
    exchange->is_sent = exchange->is_sent || n > 0;
    return n > 0;
}

/* Why it does not go on, where a limit is reached. */
static ahk_redis_outcome judge_limits(const ahk_redis *redis, const ahk_redis_exchange *exchange, ahk_error *err)
{
    if (exchange->received > AHK_REDIS_REPLY_MAX) {
        (void)ahk_fail(err, "the reply has more than %d bytes", AHK_REDIS_REPLY_MAX);
        return AHK_REDIS_PROTOCOL;
    }
    if (ahk_monotonic() >= exchange->deadline) {
        (void)ahk_fail(err, "no answer within timeout_ms (%ld ms)", redis->timeout_ms);
        return AHK_REDIS_TIMEOUT;
    }
    return AHK_REDIS_PENDING;
}

/* As far as it goes without waiting. */
static ahk_redis_outcome drive(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    bool has_progress = true;
    ahk_redis_outcome outcome = AHK_REDIS_PENDING;
    while (outcome == AHK_REDIS_PENDING && has_progress) {
        size_t n = 0;
        const bool has_written = write_some(redis, exchange);
        outcome = read_some(redis, &n, err);
        if (outcome == AHK_REDIS_DONE) {
            outcome = take_replies(redis, exchange, err);
        }
        if (outcome == AHK_REDIS_DONE && exchange->count < exchange->commands) {
            exchange->received += n;
            has_progress = has_written || n > 0;
            outcome = judge_limits(redis, exchange, err);
        }
    }
    return outcome;
}

static ahk_redis_outcome look_and_send(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    const ahk_redis_outcome outcome = look(redis, err);
    if (outcome != AHK_REDIS_DONE) {
        return outcome;
    }
    exchange->replies = calloc(exchange->commands, sizeof(redisReply *));
    if (exchange->replies == NULL) {
        (void)ahk_fail(err, "out of memory");
        return AHK_REDIS_NO_MEMORY;
    }
    exchange->deadline = ahk_monotonic() + (double)redis->timeout_ms / MS;
    (void)write_some(redis, exchange);
    return AHK_REDIS_PENDING;
}

/* Whether it is ours, and open. */
static bool check_usable(const ahk_redis *redis, ahk_error *err)
{
    if (redis->owner != getpid()) {
        return ahk_fail(err,
                        "%s: the connection was opened before the process was forked, and is the parent's: open one",
                        redis->peer);
    }
    return redis->stream.is_open ||
           ahk_fail(err, "%s: the connection is not used any more (%s): open one", redis->peer, redis->broken.text);
}

typedef ahk_redis_outcome exchange_step(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err);

/* Takes one step; where that fails, the connection has come to its end. */
static ahk_redis_outcome take_step(exchange_step *step, ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    if (!check_usable(redis, err)) {
        return AHK_REDIS_CONNECTION;
    }
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard);
    ahk_redis_outcome outcome = step(redis, exchange, err);
    if (outcome == AHK_REDIS_CONNECTION && exchange->is_sent && !redis->has_spoken) {
        (void)ahk_fail(err, "%s, without a word: %s", err->text, NOT_REDIS);
    }
    if (outcome != AHK_REDIS_DONE && outcome != AHK_REDIS_PENDING) {
        outcome = give_up(redis, outcome, err);
    }
    ahk_sigpipe_restore(&guard);
    return outcome;
}

ahk_redis_outcome ahk_redis_begin(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    AHK_REQUIRE(exchange->commands > 0 && exchange->replies == NULL);
    redis->elements = 0;
    return take_step(look_and_send, redis, exchange, err);
}

ahk_redis_outcome ahk_redis_go_on(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    AHK_REQUIRE(exchange->replies != NULL);
    return take_step(drive, redis, exchange, err);
}

ahk_redis_wait ahk_redis_waits_for(ahk_redis *redis, const ahk_redis_exchange *exchange)
{
    const double left_ms = (exchange->deadline - ahk_monotonic()) * MS;
    return (ahk_redis_wait){
        .fd = redis->stream.fd,
        .is_writing = (ahk_stream_events(&redis->stream) & POLLOUT) != 0,
        .left_ms = left_ms > 0 ? left_ms : 0,
    };
}

ahk_redis_outcome ahk_redis_run(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err)
{
    ahk_redis_outcome outcome = ahk_redis_begin(redis, exchange, err);
    if (outcome != AHK_REDIS_PENDING) {
        return outcome;
    }
    do {
        outcome = ahk_redis_go_on(redis, exchange, err);
    } while (outcome == AHK_REDIS_PENDING && ahk_stream_wait(&redis->stream, exchange->deadline));
    return outcome == AHK_REDIS_PENDING ? ahk_redis_go_on(redis, exchange, err) : outcome; /* it says that it is late */
}
