#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* Table 3-7 of the Unicode standard. */
size_t ahk_utf8_sequence(const unsigned char *s, size_t left)
{
    AHK_REQUIRE(s != NULL && left > 0);
    const unsigned char c = s[0];
    if (c < 0x80) {
        return 1;
    }
    const size_t length = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
    if (length == 0 || length > left) {
        return 0;
    }
    const unsigned char lowest = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    const unsigned char highest = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < lowest || s[1] > highest) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* Eight bytes at a time, as most text has nothing else. */
static bool is_ascii_word(const unsigned char *s)
{
    uint64_t word = 0;
    memcpy(&word, s, sizeof word);
    return (word & 0x8080808080808080U) == 0;
}

bool ahk_utf8_length(ahk_slice in, size_t *characters, size_t *at)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && characters != NULL && at != NULL);
    *characters = 0;
    for (size_t i = 0; i < in.length;) {
        if (in.length - i >= sizeof(uint64_t) && is_ascii_word(in.data + i)) {
            i += sizeof(uint64_t);
            *characters += sizeof(uint64_t);
            continue;
        }
        const size_t length = ahk_utf8_sequence(in.data + i, in.length - i);
        if (length == 0) {
            *at = i;
            return false;
        }
        i += length;
        (*characters)++;
    }
    return true;
}
