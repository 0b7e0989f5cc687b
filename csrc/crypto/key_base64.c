#include "key_base64.h"

#include <string.h>

#include "codec.h"

/* ---- escapes ------------------------------------------------------------------------------------ */

/* What follows a backslash: how many bytes it takes (0: it is no escape), and the byte that it stands for. */
static size_t escape(ahk_slice after, unsigned char *byte)
{
    enum { UNICODE = 5 }; /* u00XX: JSON writers of .NET have one for each + and / */
    static const char letters[] = "nrt";
    if (after.length == 0) {
        return 0;
    }
    const unsigned char c = after.data[0];
    if (memchr(letters, c, sizeof letters - 1) != NULL) {
        *byte = '\n';
        return 1;
    }
    if (c == '/' || ahk_key_is_filler(c)) {
        *byte = c;
        return 1;
    }
    if (after.length >= UNICODE && memcmp(after.data, "u00", 3) == 0) {
        const int high = ahk_hex_value(after.data[3]);
        const int low = ahk_hex_value(after.data[4]);
        if (high >= 0 && low >= 0) {
            *byte = (unsigned char)(high << 4 | low);
            return UNICODE;
        }
    }
    return 0;
}

/* How many bytes there are before the next backslash. */
static size_t run_length(const unsigned char *text, size_t length)
{
    const unsigned char *backslash = memchr(text, '\\', length);
    return backslash != NULL ? (size_t)(backslash - text) : length;
}

size_t ahk_key_unescape(unsigned char *text, size_t length)
{
    AHK_REQUIRE(text != NULL || length == 0);
    size_t written = 0;
    for (size_t i = 0; i < length;) {
        size_t end = i;
        while (end < length && text[end] == '\\') { /* escaped twice means the same */
            end++;
        }
        unsigned char byte = 0;
        const size_t taken = end > i ? escape((ahk_slice){text + end, length - end}, &byte) : 0;
        if (taken > 0) {
            text[written++] = byte;
            i = end + taken;
            continue;
        }
        const size_t kept = end > i ? end - i : run_length(text + i, length - i);
        memmove(text + written, text + i, kept);
        written += kept;
        i += kept;
    }
    return written;
}

/* ---- base64 ------------------------------------------------------------------------------------- */

bool ahk_key_is_filler(unsigned char c)
{
    return ahk_is_space(c) || c == '\v' || c == '\f' || c == '"' || c == '\'' || c == '`';
}

/* What editors, web pages and word processors put where it cannot be seen. */
static const char *odd_name(const unsigned char *at, size_t left)
{
    static const struct {
        const char *bytes;
        const char *name;
    } odd[] = {
        {"\xEF\xBB\xBF", " (a byte order mark: save the file without one)"},
        {"\xC2\xA0", " (a no-break space)"},
        {"\xE2\x80\x8B", " (a zero-width space)"},
        {"\xE2\x80\xA6", " (an ellipsis: was the key cut short?)"},
        {"\xE2\x80", " (a character of word processors)"},
        {"...", " (an ellipsis: was the key cut short?)"},
        {"*", " (was the key masked?)"},
        {"%", " (is it percent-encoded?)"},
        {"$", " (a variable that nobody filled in?)"},
        {"{", " (a placeholder that nobody filled in?)"},
        {"<", " (a placeholder that nobody filled in?)"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        if (ahk_slice_starts((ahk_slice){at, left}, odd[i].bytes)) {
            return odd[i].name;
        }
    }
    return "";
}

typedef struct {
    size_t length;  /* characters that say something */
    size_t padding; /* of = */
    bool standard;  /* one of + and / was there */
    bool url_safe;  /* one of - and _ was there */
} characters;

static bool is_alphanumeric(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Moves the characters together, in the standard alphabet and without padding. */
static bool pack(unsigned char *text, size_t length, size_t position, characters *found, ahk_error *err)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = text[i];
        if (ahk_key_is_filler(c)) {
            continue;
        }
        if (c == '=') {
            found->padding++;
            continue;
        }
        if (c == '-' || c == '_') {
            found->url_safe = true;
            c = c == '-' ? '+' : '/';
        } else if (c == '+' || c == '/') {
            found->standard = true;
        } else if (!is_alphanumeric(c)) {
            return ahk_fail(err, "byte 0x%02X at position %zu is not of the alphabet%s", c, position + i,
                            odd_name(text + i, length - i));
        }
        if (found->padding > 0) {
            return ahk_fail(err, "more follows the = before position %zu (a NAME= in front, or two texts in one?)",
                            position + i);
        }
        text[found->length++] = c;
    }
    return true;
}

bool ahk_key_base64_decode(unsigned char *text, size_t length, size_t position, size_t *out_length, ahk_error *err)
{
    AHK_REQUIRE(text != NULL && position > 0 && out_length != NULL);
    characters found = {0, 0, false, false};
    if (!pack(text, length, position, &found, err)) {
        return false;
    }
    if (found.standard && found.url_safe) {
        return ahk_fail(err, "it mixes + or / with - or _, which are of two alphabets");
    }
    const size_t needed = (4 - found.length % 4) % 4;
    if (needed > AHK_KEY_BASE64_ROOM) {
        return ahk_fail(err, "%zu characters cannot be all of it (cut off, or padding missing)", found.length);
    }
    if (found.padding > needed) {
        return ahk_fail(err, "%zu of = at its end where %zu belong (is a part missing?)", found.padding, needed);
    }
    memset(text + found.length, '=', needed);
    return ahk_base64_decode((ahk_slice){text, found.length + needed}, text, out_length, err);
}
