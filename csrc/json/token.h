/* The pieces that a text of JSON is made of, as RFC 8259 has them. No allocation. */
#ifndef AHK_JSON_TOKEN_H
#define AHK_JSON_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/slice.h"

/* The UTF-16 code unit of the `\uXXXX` at p, -1 where there is none. */
int ahk_json_unit(const unsigned char *p, const unsigned char *end);

static inline bool ahk_json_is_high(int unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static inline bool ahk_json_is_low(int unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Whether two strings that were scanned, without their quotes, say the same, each in its own way. */
bool ahk_json_is_same(ahk_slice a, ahk_slice b);

/* Where the number at p, a digit or a minus, ends; NULL where there is none. */
AHK_MUST_USE const unsigned char *ahk_json_number_end(const unsigned char *p, const unsigned char *end,
                                                      bool *is_integer);

/* Whether an integer without sign is at most another one. */
bool ahk_json_is_at_most(ahk_slice digits, const char *most);

#endif
