#include "token.h"

#include <string.h>

#include "../base/utf8.h"

int ahk_json_unit(const unsigned char *p, const unsigned char *end)
{
    AHK_REQUIRE(p != NULL && p <= end);
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        const int digit = ahk_hex_value(p[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Takes the next character off a string that was scanned, however it is written there; -1 at its end. What is no
 * character counts as U+FFFD, as it is passed on. */
static long next_character(ahk_slice *raw)
{
    if (raw->length == 0) {
        return -1;
    }
    const unsigned char *p = raw->data;
    const unsigned char *end = p + raw->length;
    size_t taken = 1;
    long character = p[0];
    if (p[0] == '\\' && p[1] == 'u') {
        const int unit = ahk_json_unit(p, end);
        const int low = ahk_json_is_high(unit) ? ahk_json_unit(p + 6, end) : -1;
        taken = ahk_json_is_low(low) ? 12 : 6;
        character = ahk_json_is_low(low) ? 0x10000 + ((long)(unit - 0xD800) << 10) + (low - 0xDC00)
                    : ahk_json_is_high(unit) || ahk_json_is_low(unit) ? 0xFFFD
                                                                      : unit;
    } else if (p[0] == '\\') {
        static const char names[] = "bfnrt";
        static const char values[] = "\b\f\n\r\t";
        const char *name = strchr(names, p[1]);
        taken = 2;
        character = name != NULL ? values[name - names] : p[1];
    } else if (p[0] >= 0x80) {
        const size_t length = ahk_utf8_sequence(p, raw->length);
        taken = length > 0 ? length : 1;
        character = length == 0 ? 0xFFFD : p[0] & (0xFF >> (length + 1));
        for (size_t i = 1; i < length; i++) {
            character = character << 6 | (p[i] & 0x3F);
        }
    }
    *raw = ahk_slice_from(*raw, taken);
    return character;
}

bool ahk_json_is_same(ahk_slice a, ahk_slice b)
{
    long x = 0;
    while (x >= 0) {
        x = next_character(&a);
        if (x != next_character(&b)) {
            return false;
        }
    }
    return true;
}

static const unsigned char *skip_digits(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

bool ahk_json_is_at_most(ahk_slice digits, const char *most)
{
    AHK_REQUIRE(digits.length > 0);
    const size_t length = strlen(most);
    return digits.length < length || (digits.length == length && memcmp(digits.data, most, length) <= 0);
}

/* Behind the digits from p on, of which there has to be one; NULL where there is none. */
static const unsigned char *some_digits(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *last = skip_digits(p, end);
    return last > p ? last : NULL;
}

const unsigned char *ahk_json_number_end(const unsigned char *p, const unsigned char *end, bool *is_integer)
{
    AHK_REQUIRE(p < end && is_integer != NULL);
    const unsigned char *digits = p + (*p == '-');
    p = some_digits(digits, end);
    if (p != NULL && *digits == '0' && p > digits + 1) {
        return NULL;
    }
    *is_integer = true;
    if (p != NULL && p < end && *p == '.') {
        *is_integer = false;
        p = some_digits(p + 1, end);
    }
    if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
        *is_integer = false;
        p++;
        p = some_digits(p + (p < end && (*p == '+' || *p == '-')), end);
    }
    return p;
}
