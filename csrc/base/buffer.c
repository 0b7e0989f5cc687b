#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 4096 };

void ahk_buffer_reset(ahk_buffer *buffer, size_t max)
{
    buffer->length = 0;
    buffer->max = max;
    buffer->overflowed = false;
}

/* At least twice what there was, so that many small pieces are not moved once for each. */
static size_t grown_capacity(const ahk_buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity <= buffer->max / 2 ? buffer->capacity * 2 : buffer->max;
    if (capacity < FIRST_CAPACITY) {
        capacity = FIRST_CAPACITY;
    }
    return capacity > needed ? capacity : needed;
}

bool ahk_buffer_append(ahk_buffer *buffer, const char *data, size_t length)
{
    AHK_REQUIRE(buffer->length <= buffer->max && buffer->length <= buffer->capacity);
    AHK_REQUIRE(buffer->data != NULL || buffer->capacity == 0);
    AHK_REQUIRE(data != NULL || length == 0);
    if (length > buffer->max - buffer->length) {
        buffer->overflowed = true;
        return false;
    }
    const size_t needed = buffer->length + length;
    if (needed > buffer->capacity) {
        const size_t capacity = grown_capacity(buffer, needed);
        char *grown = realloc(buffer->data, capacity);
        if (grown == NULL) {
            return false;
        }
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    if (length > 0) {
        memcpy(buffer->data + buffer->length, data, length);
    }
    buffer->length = needed;
    return true;
}

void ahk_buffer_free(ahk_buffer *buffer)
{
    free(buffer->data);
    *buffer = (ahk_buffer){NULL, 0, 0, 0, false};
}
