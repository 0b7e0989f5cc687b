/* The pool alone, for ThreadSanitizer: pool_threads PRIVATE PUBLIC JOBS. Signs and verifies, ends in the middle, and
 * goes on in a child that has no threads. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../csrc/pool/pool.h"

enum { AT_ONCE = 64, THREADS = 4, SECONDS_MAX = 120 };

static int complaints;

static void complain(const char *what)
{
    complaints++;
    fprintf(stderr, "%s\n", what);
}

static void wait_for(const ahk_pool *pool)
{
    struct pollfd asked = {ahk_pool_fd(pool), POLLIN, 0};
    (void)poll(&asked, 1, 10000);
}

/* What a job that is done is made of next: signed ones are verified, and every third one with a wrong message. */
static bool turn_round(ahk_job *job)
{
    static const char other[] = "another message";
    static unsigned count;
    if (job->kind == AHK_JOB_VERIFY) {
        return false;
    }
    if (!job->is_signed) {
        complain("not signed");
    }
    job->kind = AHK_JOB_VERIFY;
    job->key = 1;
    job->given = (ahk_slice){job->signature.bytes, job->signature.length};
    if (++count % 3 == 0) {
        job->message = (ahk_slice){(const unsigned char *)other, sizeof other - 1};
    }
    return true;
}

static void check(const ahk_job *job, ahk_slice message)
{
    const bool same = job->message.data == message.data;
    if (job->verdict != (same ? AHK_VALID : AHK_INVALID)) {
        complain("the wrong verdict");
    }
}

static void submit(ahk_pool *pool, ahk_job *job)
{
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_pool_submit(pool, job, &err)) {
        complain(err.text);
    }
}

static void work(ahk_pool *pool, long jobs)
{
    static ahk_job slots[AT_ONCE];
    const ahk_slice message = {(const unsigned char *)"message", 7};
    const ahk_sign_options options = {AHK_SHA224, AHK_ECDSA_DER};
    long begun = 0;
    long done = 0;
    for (; begun < AT_ONCE && begun < jobs; begun++) {
        slots[begun] = (ahk_job){.kind = AHK_JOB_SIGN, .message = message, .options = options, .err = AHK_ERROR_INIT};
        submit(pool, &slots[begun]);
    }
    while (done < jobs && complaints == 0) {
        ahk_job *job = ahk_pool_finished(pool);
        if (job == NULL) {
            wait_for(pool);
        } else if (turn_round(job)) {
            submit(pool, job);
        } else {
            check(job, message);
            done++;
            if (begun < jobs) {
                begun++;
                *job = (ahk_job){.kind = AHK_JOB_SIGN, .message = message, .options = options, .err = AHK_ERROR_INIT};
                submit(pool, job);
            }
        }
    }
}

/* In a child the pool refuses, and can be freed. */
static void fork_with(ahk_pool *pool)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        (void)alarm(SECONDS_MAX); /* a child does not inherit its parent's */
        ahk_job job = {.kind = AHK_JOB_SIGN, .err = AHK_ERROR_INIT};
        ahk_error err = AHK_ERROR_INIT;
        const bool taken = ahk_pool_submit(pool, &job, &err) || ahk_pool_finished(pool) != NULL;
        ahk_pool_free(pool);
        _exit(taken ? 1 : 0);
    }
    if (waitpid(child, &status, 0) != child || status != 0) {
        complain("the child's pool does something");
    }
}

/* With most of its jobs not begun. */
static void end_early(const ahk_key *const *keys)
{
    static ahk_job left[AT_ONCE];
    ahk_error err = AHK_ERROR_INIT;
    ahk_pool *pool = ahk_pool_new(2, keys, 2, &err);
    for (int i = 0; pool != NULL && i < AT_ONCE; i++) {
        left[i] = (ahk_job){.kind = AHK_JOB_SIGN, .err = AHK_ERROR_INIT};
        left[i].message = (ahk_slice){(const unsigned char *)"m", 1};
        submit(pool, &left[i]);
    }
    ahk_pool_free(pool);
}

int main(int argc, char **argv)
{
    ahk_error err = AHK_ERROR_INIT;
    const ahk_slice none = {NULL, 0};
    if (argc != 4) {
        return 2;
    }
    (void)alarm(SECONDS_MAX); /* a pool that is broken waits for ever */
    const ahk_key *keys[] = {ahk_key_read_file(AHK_HALF_PRIVATE, argv[1], none, &err),
                             ahk_key_read_file(AHK_HALF_PUBLIC, argv[2], none, &err)};
    ahk_pool *pool = keys[0] != NULL && keys[1] != NULL ? ahk_pool_new(THREADS, keys, 2, &err) : NULL;
    if (pool == NULL) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    work(pool, strtol(argv[3], NULL, 10));
    fork_with(pool);
    ahk_pool_free(pool);
    end_early(keys);
    ahk_key_free((ahk_key *)(size_t)keys[0]);
    ahk_key_free((ahk_key *)(size_t)keys[1]);
    printf("%d complaints\n", complaints);
    return complaints == 0 ? 0 : 1;
}
