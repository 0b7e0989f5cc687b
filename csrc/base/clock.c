#include "clock.h"

#include <errno.h>
#include <time.h>

enum { MS_PER_DAY = 24 * 60 * 60 * 1000 };

static double read_clock(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0) {
        return (double)time(NULL);
    }
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double ahk_now(void)
{
    return read_clock(CLOCK_REALTIME);
}

double ahk_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

void ahk_sleep_ms(double milliseconds)
{
    if (!(milliseconds > 0)) {
        return;
    }
    if (milliseconds > MS_PER_DAY) {
        milliseconds = MS_PER_DAY;
    }
    struct timespec left;
    left.tv_sec = (time_t)(milliseconds / 1000);
    left.tv_nsec = (long)((milliseconds - (double)left.tv_sec * 1000) * 1e6);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
