#include "sigpipe.h"

#include <stddef.h>
#include <time.h>

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void take_pending(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGPIPE);
#ifdef __APPLE__
    int taken = 0;
    (void)sigwait(&set, &taken);
#else
    const struct timespec at_once = {0, 0}; /* another thread may have taken it meanwhile */
    (void)sigtimedwait(&set, NULL, &at_once);
#endif
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
        take_pending();
    }
    (void)pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
