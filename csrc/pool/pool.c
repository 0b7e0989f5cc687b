#include "pool.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const char FORKED[] = "the process was forked: its signers are the parent's";

/* First in, first out. */
typedef struct {
    ahk_job *first;
    ahk_job **last;
} queue;

typedef struct {
    ahk_pool *pool;
    pthread_t thread;
    ahk_key *keys[AHK_POOL_KEYS_MAX];
} worker;

struct ahk_pool {
    pthread_mutex_t lock; /* over the queues and `is_ending` */
    pthread_cond_t work;
    queue waiting;
    queue done;
    bool is_ending;

    ahk_node *given; /* not for the threads: what a child of a fork has to give back */
    int wake[2];     /* a pipe: a byte in it says that `done` has jobs */
    pid_t owner;
    size_t key_count;
    int started;
    int threads;
    worker workers[];
};

static void queue_init(queue *q)
{
    q->first = NULL;
    q->last = &q->first;
}

static void queue_put(queue *q, ahk_job *job)
{
    job->next = NULL;
    *q->last = job;
    q->last = &job->next;
}

static ahk_job *queue_take(queue *q)
{
    ahk_job *job = q->first;
    if (job != NULL) {
        q->first = job->next;
        if (q->first == NULL) {
            q->last = &q->first;
        }
        job->next = NULL;
    }
    return job;
}

/* ---- a thread ----------------------------------------------------------------------------------- */

static void run(worker *w, ahk_job *job)
{
    ahk_key *key = w->keys[job->key];
    if (job->kind == AHK_JOB_SIGN) {
        job->is_signed = ahk_sign(key, job->message, job->options, &job->signature, &job->err);
    } else {
        job->verdict = ahk_verify(key, job->message, job->given, job->options, &job->err);
    }
}

/* The next job; NULL when there is to be none any more. */
static ahk_job *next_job(ahk_pool *pool)
{
    while (pool->waiting.first == NULL && !pool->is_ending) {
        (void)pthread_cond_wait(&pool->work, &pool->lock);
    }
    return pool->is_ending ? NULL : queue_take(&pool->waiting);
}

static void *work(void *argument)
{
    worker *w = argument;
    ahk_pool *pool = w->pool;
    (void)pthread_mutex_lock(&pool->lock);
    ahk_job *job;
    while ((job = next_job(pool)) != NULL) {
        (void)pthread_mutex_unlock(&pool->lock);
        run(w, job);
        (void)pthread_mutex_lock(&pool->lock);
        const bool was_empty = pool->done.first == NULL;
        queue_put(&pool->done, job);
        if (was_empty) {
            const ssize_t ignored = write(pool->wake[1], "", 1); /* a full pipe wakes as well */
            (void)ignored;
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* ---- the pool ----------------------------------------------------------------------------------- */

static bool make_pipe(ahk_pool *pool)
{
    if (pipe(pool->wake) != 0) {
        pool->wake[0] = pool->wake[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(pool->wake[i], F_SETFD, FD_CLOEXEC) != 0 || fcntl(pool->wake[i], F_SETFL, O_NONBLOCK) != 0) {
            return false;
        }
    }
    return true;
}

static bool copy_keys(ahk_pool *pool, const ahk_key *const *keys, ahk_error *err)
{
    for (int i = 0; i < pool->threads; i++) {
        pool->workers[i].pool = pool;
        for (size_t k = 0; k < pool->key_count; k++) {
            pool->workers[i].keys[k] = ahk_key_copy(keys[k], err);
            if (pool->workers[i].keys[k] == NULL) {
                return false;
            }
        }
    }
    return true;
}

ahk_pool *ahk_pool_new(int threads, const ahk_key *const *keys, size_t key_count, ahk_error *err)
{
    AHK_REQUIRE(threads > 0 && threads <= AHK_POOL_THREADS_MAX && key_count <= AHK_POOL_KEYS_MAX);
    ahk_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(worker));
    if (pool == NULL) {
        (void)ahk_fail(err, "out of memory");
        return NULL;
    }
    pool->owner = getpid();
    pool->threads = threads;
    pool->key_count = key_count;
    queue_init(&pool->waiting);
    queue_init(&pool->done);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->work, NULL);
    if (!make_pipe(pool)) {
        (void)ahk_fail(err, AHK_NO_DESCRIPTORS);
        ahk_pool_free(pool);
        return NULL;
    }
    if (!copy_keys(pool, keys, err)) {
        ahk_pool_free(pool);
        return NULL;
    }
    return pool;
}

static bool is_inherited(const ahk_pool *pool)
{
    return pool->owner != getpid();
}

/* One more thread, where there may be one more. Signals are for the threads of the program. */
static void start_one(ahk_pool *pool)
{
    if (pool->started == pool->threads) {
        return;
    }
    sigset_t all;
    sigset_t before;
    worker *w = &pool->workers[pool->started];
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&w->thread, NULL, work, w) == 0) {
        pool->started++;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

const ahk_key *ahk_pool_key(const ahk_pool *pool, size_t key)
{
    return key < pool->key_count ? pool->workers[0].keys[key] : NULL;
}

bool ahk_pool_submit(ahk_pool *pool, ahk_job *job, ahk_error *err)
{
    AHK_REQUIRE(job->key < pool->key_count);
    if (is_inherited(pool)) {
        return ahk_fail(err, FORKED);
    }
    start_one(pool);
    if (pool->started == 0) {
        return ahk_fail(err, "no thread can be started");
    }
    ahk_list_put(&pool->given, &job->node);
    (void)pthread_mutex_lock(&pool->lock);
    queue_put(&pool->waiting, job);
    (void)pthread_cond_signal(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
    return true;
}

/* What the parent's threads had, or have by now, is not for the child. */
static ahk_job *next_abandoned(ahk_pool *pool)
{
    ahk_job *job = (ahk_job *)pool->given;
    if (job != NULL) {
        ahk_list_remove(&job->node);
        job->is_signed = false;
        job->verdict = AHK_NOT_VERIFIED;
        (void)ahk_fail(&job->err, FORKED);
    }
    return job;
}

ahk_job *ahk_pool_finished(ahk_pool *pool)
{
    if (is_inherited(pool)) {
        return next_abandoned(pool);
    }
    (void)pthread_mutex_lock(&pool->lock);
    ahk_job *job = queue_take(&pool->done);
    if (job == NULL) {
        char bytes[64];
        while (read(pool->wake[0], bytes, sizeof bytes) > 0) {
            continue;
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
    if (job != NULL) {
        ahk_list_remove(&job->node);
    }
    return job;
}

int ahk_pool_fd(const ahk_pool *pool)
{
    return pool->wake[0];
}

static void join_all(ahk_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    (void)pthread_cond_broadcast(&pool->work);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) {
        (void)pthread_join(pool->workers[i].thread, NULL);
    }
}

void ahk_pool_free(ahk_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    /* In a child the lock may be held by a thread that is not there. */
    if (!is_inherited(pool)) {
        join_all(pool);
        (void)pthread_cond_destroy(&pool->work);
        (void)pthread_mutex_destroy(&pool->lock);
    }
    for (int i = 0; i < pool->threads; i++) {
        for (size_t k = 0; k < pool->key_count; k++) {
            ahk_key_free(pool->workers[i].keys[k]);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (pool->wake[i] >= 0) {
            (void)close(pool->wake[i]);
        }
    }
    free(pool);
}
