/* Keeps a write to a closed socket from killing the process, without touching the process's
 * disposition of SIGPIPE: the signal is blocked in this thread, and one that we caused is taken. */
#ifndef AHK_SIGPIPE_H
#define AHK_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

typedef struct {
    sigset_t before;
    bool blocked;
    bool was_pending;
} ahk_sigpipe_guard;

void ahk_sigpipe_block(ahk_sigpipe_guard *guard);
void ahk_sigpipe_restore(const ahk_sigpipe_guard *guard);

#endif
