/* Threads that sign and verify, fed by a queue, heard through a file descriptor. Knows neither Lua nor curl.
 *
 * Each thread has its own copy of every key, so that none waits for another inside OpenSSL. The threads start with the
 * first job and block all signals. A fork does not copy threads: the child's pool does nothing any more. */
#ifndef AHK_POOL_H
#define AHK_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/list.h"
#include "../base/slice.h"
#include "../crypto/key.h"
#include "../crypto/sign.h"

enum { AHK_POOL_THREADS_MAX = 64, AHK_POOL_KEYS_MAX = 16 };

typedef struct ahk_pool ahk_pool;

typedef enum { AHK_JOB_SIGN, AHK_JOB_VERIFY } ahk_job_kind;

/* One thing to do. It has to stay, with what it points to, until it is finished or the pool is freed. */
typedef struct ahk_job {
    ahk_node node; /* among all that the pool has been given and not given back */
    ahk_job_kind kind;
    size_t key; /* which of the pool's */
    ahk_slice message;
    ahk_slice given; /* the signature to verify */
    ahk_sign_options options;

    /* What came of it. */
    bool is_signed;
    ahk_signature signature;
    ahk_verdict verdict;
    ahk_error err;

    struct ahk_job *next;
} ahk_job;

/* Copies the keys for each of the threads. NULL and *err on failure. */
AHK_MUST_USE ahk_pool *ahk_pool_new(int threads, const ahk_key *const *keys, size_t key_count, ahk_error *err);

/* Waits for the jobs that are being done, drops the others, and cleanses the keys. NULL is fine. */
void ahk_pool_free(ahk_pool *pool);

/* The thread's copies are of these: NULL where there is no such key. To be looked at, not to sign with. */
const ahk_key *ahk_pool_key(const ahk_pool *pool, size_t key);

/* Gives a job to whichever thread is free. False where no thread can be started: nothing was taken. */
AHK_MUST_USE bool ahk_pool_submit(ahk_pool *pool, ahk_job *job, ahk_error *err);

/* Takes a job that is done; NULL for none. In a child of a fork every job has failed. */
ahk_job *ahk_pool_finished(ahk_pool *pool);

/* Becomes readable when a job is done, until ahk_pool_finished has said that there is none. */
int ahk_pool_fd(const ahk_pool *pool);

#endif
