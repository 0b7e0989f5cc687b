/* Wall clock and sleep in milliseconds: Lua 5.1's own stop at whole seconds. */
#ifndef AHK_CLOCK_H
#define AHK_CLOCK_H

/* Seconds since the epoch, with fraction. */
double ahk_now(void);

/* Seconds of a clock that never steps back; only differences mean anything. */
double ahk_monotonic(void);

/* Blocks the calling thread, also across signals. At most a day. */
void ahk_sleep_ms(double milliseconds);

#endif
