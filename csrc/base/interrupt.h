/* Signals, for programs that want to end what they have begun: SIGINT and SIGTERM as a flag, SIGPIPE as a fault. */
#ifndef AHK_INTERRUPT_H
#define AHK_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM is only noted; each one after it ends the process. A signal that is ignored
 * stays so. Process-wide, and not undone: a program that has handlers of its own does not need this. */
void ahk_interrupts_catch(void);

/* Whether one was noted. */
bool ahk_interrupts_caught(void);

/* From now on a write to a pipe that nobody reads fails with EPIPE, and no longer ends the process. Process-wide, not
 * undone; what this process starts from now on ignores SIGPIPE as well. */
void ahk_broken_pipes_ignore(void);

#endif
