/* A connection to Redis (or Valkey) that sends commands and takes their replies, at once or later. What they mean it
 * does not know.
 *
 * The protocol's parser is libhiredis's, fed from a stream. A connection that failed is not used again, for nobody
 * knows what would come over it; nor is one that was inherited over a fork. */
#ifndef AHK_REDIS_H
#define AHK_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/slice.h"
#include "../base/buffer.h"
#include "stream.h"

enum {
    AHK_REDIS_REQUEST_MAX = 64 * 1024 * 1024, /* bytes of the commands of one exchange */
    AHK_REDIS_REPLY_MAX = 64 * 1024 * 1024,   /* bytes of its replies */
    AHK_REDIS_COMMANDS_MAX = 65536,
    AHK_REDIS_ELEMENTS_MAX = 1024 * 1024, /* of all lists in its replies */
    AHK_REDIS_DEPTH_MAX = 7,              /* of lists in lists */
};

typedef enum {
    AHK_REDIS_DONE,
    AHK_REDIS_PENDING,    /* not all has gone, or come, yet */
    AHK_REDIS_CONNECTION, /* none, or it broke */
    AHK_REDIS_TIMEOUT,
    AHK_REDIS_TLS,
    AHK_REDIS_PROTOCOL,  /* that is no Redis, or more than the limits above */
    AHK_REDIS_NO_MEMORY, /* here */
} ahk_redis_outcome;

typedef struct ahk_redis ahk_redis;

/* Commands and their replies. Zeroed: none. */
typedef struct {
    ahk_buffer request;
    size_t commands;
    redisReply **replies; /* so many as there are commands, once it is done */
    size_t count;
    size_t written;  /* bytes of the request */
    size_t received; /* bytes of replies */
    double deadline; /* in seconds of ahk_monotonic */
    bool is_sent;    /* something was: then the server may have executed it */
} ahk_redis_exchange;

/* What a pending exchange waits for. */
typedef struct {
    int fd;
    bool is_writing; /* it waits until the socket is writable as well */
    double left_ms;  /* until its deadline, from 0 on */
} ahk_redis_wait;

/* Begins a command of so many arguments, its name among them; the arguments follow. False where that is more than may
 * be sent, or memory is short. */
AHK_MUST_USE bool ahk_redis_command(ahk_redis_exchange *exchange, size_t arguments);
AHK_MUST_USE bool ahk_redis_argument(ahk_redis_exchange *exchange, ahk_slice argument);

/* Frees what it holds, and cleanses the commands: one may have had a password in it. */
void ahk_redis_exchange_free(ahk_redis_exchange *exchange);

/* Without a connection yet. `timeout_ms` limits each exchange. NULL when memory is short. */
AHK_MUST_USE ahk_redis *ahk_redis_new(const char *host, const char *port, long timeout_ms);

/* NULL is fine. */
void ahk_redis_free(ahk_redis *redis);

/* Connects, once in its life. `no_descriptors`: whether it failed for want of them. */
AHK_MUST_USE ahk_redis_outcome ahk_redis_connect(ahk_redis *redis, const ahk_stream_target *target,
                                                 long connect_timeout_ms, bool *no_descriptors, ahk_error *err);

/* Of all three: where one gives neither AHK_REDIS_DONE nor AHK_REDIS_PENDING, the connection is closed.
 *
 * Sends the commands and waits for all replies. */
AHK_MUST_USE ahk_redis_outcome ahk_redis_run(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err);

/* Sends the commands as far as that goes without waiting: AHK_REDIS_PENDING. From now on its time counts, and no other
 * exchange begins over this connection before this one is done. */
AHK_MUST_USE ahk_redis_outcome ahk_redis_begin(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err);

/* Goes on with what was begun, without waiting; the exchange may be in another place than it was then. */
AHK_MUST_USE ahk_redis_outcome ahk_redis_go_on(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err);

/* After ahk_redis_go_on gave AHK_REDIS_PENDING: when to call it again, at the latest where no time is left. */
AHK_MUST_USE ahk_redis_wait ahk_redis_waits_for(ahk_redis *redis, const ahk_redis_exchange *exchange);

/* Whether commands can be sent over it, as far as is known. */
bool ahk_redis_is_usable(const ahk_redis *redis);

#endif
