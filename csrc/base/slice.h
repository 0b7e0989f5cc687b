/* A run of bytes that somebody else owns. */
#ifndef AHK_SLICE_H
#define AHK_SLICE_H

#include <stddef.h>

typedef struct {
    const unsigned char *data;
    size_t length;
} ahk_slice;

#endif
