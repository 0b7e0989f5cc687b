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
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
        while (capacity < needed) {
            capacity = capacity > buffer->max / 2 ? buffer->max : capacity * 2;
        }
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
