/* What went wrong, as one line for a person: which call, which input, which reason.
 * Never key material, never a passphrase. */
#ifndef AHK_ERROR_H
#define AHK_ERROR_H

#include <stdbool.h>

typedef struct {
    char text[768];
} ahk_error;

/* Sets the text (cut at the buffer's end) and returns false, so that a failing function can
 * say `return ahk_fail(err, ...)`. */
bool ahk_fail(ahk_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
