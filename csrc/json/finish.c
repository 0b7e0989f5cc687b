#include "finish.h"

#include <string.h>

/* Bytes of the string that begins with the quote at s.data[0], both quotes included. */
static size_t string_length(ahk_slice s)
{
    size_t i = 1;
    while (i < s.length && s.data[i] != '"') {
        i += s.data[i] == '\\' ? 2 : 1;
    }
    return i < s.length ? i + 1 : s.length;
}

/* What is written for a string, a part of it or of its own. */
static ahk_slice written(ahk_slice string)
{
    const ahk_slice content = {string.data + 1, string.length - 2};
    if (!ahk_slice_starts(content, AHK_JSON_MARK)) {
        return string;
    }
    return ahk_slice_from(content, AHK_JSON_MARK_LENGTH);
}

size_t ahk_json_finish(ahk_slice text, char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(text) && out != NULL);
    size_t length = 0;
    while (text.length > 0) {
        const unsigned char *quote = memchr(text.data, '"', text.length);
        const size_t before = quote != NULL ? (size_t)(quote - text.data) : text.length;
        memcpy(out + length, text.data, before);
        length += before;
        text = ahk_slice_from(text, before);
        const size_t taken = text.length > 0 ? string_length(text) : 0;
        if (taken >= 2) {
            const ahk_slice piece = written((ahk_slice){text.data, taken});
            const bool is_string = piece.data != text.data && ahk_slice_starts(piece, AHK_JSON_MARK);
            if (is_string) {
                out[length++] = '"';
            }
            memcpy(out + length, piece.data, piece.length);
            length += piece.length;
            if (is_string) {
                out[length++] = '"';
            }
        }
        text = ahk_slice_from(text, taken);
    }
    return length;
}
