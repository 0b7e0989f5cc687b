/* A connection to Redis (or Valkey) that sends commands and waits for their replies. What they mean it does not know.
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
    bool is_sent; /* something was: then the server may have executed it */
} ahk_redis_exchange;

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

/* Sends the commands and waits for all replies. Unless it gives AHK_REDIS_DONE, the connection is closed. */
AHK_MUST_USE ahk_redis_outcome ahk_redis_run(ahk_redis *redis, ahk_redis_exchange *exchange, ahk_error *err);

/* Whether commands can be sent over it, as far as is known. */
bool ahk_redis_is_usable(const ahk_redis *redis);

#endif
