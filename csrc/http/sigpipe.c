#include "sigpipe.h"

#include <stddef.h>

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void ahk_sigpipe_block(ahk_sigpipe_guard *guard)
{
    sigset_t set;
    guard->was_pending = is_pending();
    guard->blocked = sigemptyset(&set) == 0 && sigaddset(&set, SIGPIPE) == 0 &&
                     pthread_sigmask(SIG_BLOCK, &set, &guard->before) == 0;
}

void ahk_sigpipe_restore(const ahk_sigpipe_guard *guard)
{
    if (!guard->blocked) {
        return;
    }
    if (!guard->was_pending && is_pending()) {
        sigset_t set;
        int taken = 0;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGPIPE);
        (void)sigwait(&set, &taken);
    }
    (void)pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
