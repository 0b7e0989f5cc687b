/* A run of bytes that somebody else owns. */
#ifndef AHK_SLICE_H
#define AHK_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "contract.h"

typedef struct {
    const unsigned char *data;
    size_t length;
} ahk_slice;

static inline bool ahk_slice_is_valid(ahk_slice s)
{
    return s.data != NULL || s.length == 0;
}

static inline bool ahk_is_space(unsigned char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 0 to 15, or -1. */
static inline int ahk_hex_value(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without the space around it. */
static inline ahk_slice ahk_slice_trim(ahk_slice s)
{
    AHK_REQUIRE(ahk_slice_is_valid(s));
    while (s.length > 0 && ahk_is_space(s.data[0])) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && ahk_is_space(s.data[s.length - 1])) {
        s.length--;
    }
    return s;
}

static inline bool ahk_slice_equal(ahk_slice a, ahk_slice b)
{
    AHK_REQUIRE(ahk_slice_is_valid(a) && ahk_slice_is_valid(b));
    return a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
}

static inline bool ahk_slice_is(ahk_slice s, const char *text)
{
    return ahk_slice_equal(s, (ahk_slice){(const unsigned char *)text, strlen(text)});
}

static inline bool ahk_slice_starts(ahk_slice s, const char *text)
{
    const size_t length = strlen(text);
    return s.length >= length && memcmp(s.data, text, length) == 0;
}

static inline bool ahk_slice_has(ahk_slice s, char c)
{
    return s.length > 0 && memchr(s.data, c, s.length) != NULL;
}

/* Whether it has neither white space nor control characters, as far as ASCII knows them. */
static inline bool ahk_slice_is_visible(ahk_slice s)
{
    AHK_REQUIRE(ahk_slice_is_valid(s));
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] <= ' ' || s.data[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

/* Where `text` stands in s; s.length where it does not. */
static inline size_t ahk_slice_find(ahk_slice s, const char *text)
{
    AHK_REQUIRE(text[0] != '\0');
    const size_t length = strlen(text);
    for (size_t i = 0; i + length <= s.length; i++) {
        const unsigned char *first = memchr(s.data + i, text[0], s.length - length + 1 - i);
        if (first == NULL) {
            break;
        }
        i = (size_t)(first - s.data);
        if (memcmp(first, text, length) == 0) {
            return i;
        }
    }
    return s.length;
}

static inline ahk_slice ahk_slice_from(ahk_slice s, size_t at)
{
    AHK_REQUIRE(at <= s.length);
    return (ahk_slice){s.data + at, s.length - at};
}

#endif
