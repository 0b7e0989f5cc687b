/* SIGINT and SIGTERM as a flag, for programs that want to end what they have begun. */
#ifndef AHK_INTERRUPT_H
#define AHK_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM is only noted; each one after it ends the process. A signal that is ignored
 * stays so. Process-wide, and not undone: a program that has handlers of its own does not need this. */
void ahk_interrupts_catch(void);

/* Whether one was noted. */
bool ahk_interrupts_caught(void);

#endif
