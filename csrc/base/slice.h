/* A run of bytes that somebody else owns. */
#ifndef AHK_SLICE_H
#define AHK_SLICE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const unsigned char *data;
    size_t length;
} ahk_slice;

static inline bool ahk_is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without the space around it. */
static inline ahk_slice ahk_slice_trim(ahk_slice s)
{
    while (s.length > 0 && ahk_is_space(s.data[0])) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && ahk_is_space(s.data[s.length - 1])) {
        s.length--;
    }
    return s;
}

#endif
