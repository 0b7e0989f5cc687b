/* A growing run of bytes with a hard cap. */
#ifndef AHK_BUFFER_H
#define AHK_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "contract.h"

typedef struct {
    char *data;
    size_t length;
    size_t capacity;
    size_t max;
    bool overflowed; /* somebody tried to go over max */
} ahk_buffer;

/* Forgets the content, keeps the memory. */
void ahk_buffer_reset(ahk_buffer *buffer, size_t max);

/* False without any change when that would go over max, or memory is short. */
AHK_MUST_USE bool ahk_buffer_append(ahk_buffer *buffer, const char *data, size_t length);

void ahk_buffer_free(ahk_buffer *buffer);

#endif
