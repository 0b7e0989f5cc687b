/* What went wrong, as one line for a person: which call, which input, which reason.
 * Never key material, never a passphrase. */
#ifndef AHK_ERROR_H
#define AHK_ERROR_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char text[768];
} ahk_error;

/* Every error starts out as this: whoever fails without a word still leaves a line to read. */
#define AHK_ERROR_INIT                                                                                                 \
    {                                                                                                                  \
        "no reason given"                                                                                              \
    }

/* Sets the text (cut at the buffer's end, not inside a character; one line of UTF-8, whatever was given) and returns
 * false, so that a failing function can say `return ahk_fail(err, ...)`. */
bool ahk_fail(ahk_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many bytes of the text to show where at most `max` may be: no UTF-8 character is cut. For "%.*s". */
int ahk_shown(const char *text, size_t max);

/* For messages: a path's first bytes, so that a long one does not push the reason out of the text.
 * ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), reason) */
#define AHK_PATH_FORMAT "%.*s"
#define AHK_PATH(path) ahk_shown(path, 160), path

/* That a process may open no more: what is said of it, and whether an errno means it. */
#define AHK_NO_DESCRIPTORS "out of file descriptors (ulimit -n)"
static inline bool ahk_errno_is_of_descriptors(int code)
{
    return code == EMFILE || code == ENFILE;
}

/* The system's words for an errno, in English: those of another locale may be in bytes that are no UTF-8. */
typedef struct {
    char text[80];
} ahk_system_words;
ahk_system_words ahk_explain_errno(int code);

#endif
