#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

enum { SIGNALS = 2 };
static const int signals[SIGNALS] = {SIGINT, SIGTERM};
static volatile sig_atomic_t is_ours[SIGNALS];
static volatile sig_atomic_t caught;

static void note(int signal_number)
{
    (void)signal_number;
    caught = 1;
    for (int i = 0; i < SIGNALS; i++) {
        if (is_ours[i]) {
            (void)signal(signals[i], SIG_DFL);
        }
    }
}

void ahk_interrupts_catch(void)
{
    struct sigaction action = {.sa_handler = note};
    (void)sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            is_ours[i] = sigaction(signals[i], &action, NULL) == 0;
        }
    }
}

bool ahk_interrupts_caught(void)
{
    return caught != 0;
}

void ahk_broken_pipes_ignore(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
}
