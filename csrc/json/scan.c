#include "scan.h"

#include <string.h>

#include "../base/utf8.h"
#include "token.h"

#define REPLACEMENT "\xEF\xBF\xBD"
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* From here on a double holds no longer every integer; and the largest of 64 bits, below zero and above. */
static const char double_max[] = "9007199254740992";
static const char int64_min[] = "9223372036854775808";
static const char int64_max[] = "9223372036854775807";

typedef struct {
    const unsigned char *begin, *at, *end;
    const ahk_json_options *options;
    ahk_json_report *report;
    ahk_error *err;
    char *out; /* NULL: only counted */
    bool has_unique;
    size_t key_count; /* of the object that may have no key twice */
    ahk_slice keys[AHK_JSON_KEYS_MAX];
} scanner;

static bool fail(const scanner *s, const char *what)
{
    if (s->at == s->end) {
        return ahk_fail(s->err, "it ends too early (cut off?): %s", what);
    }
    return ahk_fail(s->err, "%s at byte %zu", what, (size_t)(s->at - s->begin) + 1);
}

static void put(scanner *s, const void *data, size_t length)
{
    if (s->out != NULL) {
        memcpy(s->out + s->report->length, data, length);
    }
    s->report->length += length;
}

/* What the text does not have. */
static void put_instead(scanner *s, const char *data, size_t length)
{
    put(s, data, length);
    s->report->is_changed = true;
}

/* For what is no character. */
static void put_replacement(scanner *s)
{
    put_instead(s, REPLACEMENT, sizeof REPLACEMENT - 1);
    s->report->is_mended = true;
}

static void put_mark(scanner *s)
{
    put_instead(s, AHK_JSON_MARK, AHK_JSON_MARK_LENGTH);
    s->report->is_marked = true;
}

static void copy_to(scanner *s, const unsigned char *end)
{
    put(s, s->at, (size_t)(end - s->at));
    s->at = end;
}

static int peek(const scanner *s)
{
    return s->at < s->end ? *s->at : -1;
}

static void skip_space(scanner *s)
{
    const unsigned char *p = s->at;
    while (p < s->end && ahk_is_space(*p)) {
        p++;
    }
    copy_to(s, p);
}

/* ---- strings -------------------------------------------------------------------------------------- */

static bool scan_unit(scanner *s)
{
    const int unit = ahk_json_unit(s->at, s->end);
    if (unit < 0) {
        return fail(s, "\\u without four hex digits");
    }
    if (ahk_json_is_high(unit) && ahk_json_is_low(ahk_json_unit(s->at + 6, s->end))) {
        copy_to(s, s->at + 12);
    } else if (ahk_json_is_high(unit) || ahk_json_is_low(unit)) {
        put_replacement(s);
        s->at += 6;
    } else {
        copy_to(s, s->at + 6);
    }
    return true;
}

static bool scan_escape(scanner *s)
{
    if (s->end - s->at < 2) {
        s->at = s->end;
        return fail(s, "a string has no end");
    }
    if (s->at[1] == 'u') {
        return scan_unit(s);
    }
    if (s->at[1] == '\0' || strchr("\"\\/bfnrt", s->at[1]) == NULL) {
        return fail(s, "an unknown escape in a string");
    }
    copy_to(s, s->at + 2);
    return true;
}

/* One byte that is no UTF-8, or a character of more than one. */
static void scan_character(scanner *s)
{
    const size_t length = ahk_utf8_sequence(s->at, (size_t)(s->end - s->at));
    if (length > 0) {
        copy_to(s, s->at + length);
    } else {
        put_replacement(s);
        s->at++;
    }
}

/* RFC 8259 has it escaped; a line break in a text that somebody pasted is not worth an answer. */
static void scan_control(scanner *s)
{
    static const char digits[] = "0123456789abcdef";
    const char escape[] = {'\\', 'u', '0', '0', digits[*s->at >> 4], digits[*s->at & 0xF]};
    put_instead(s, escape, sizeof escape);
    s->report->is_mended = true;
    s->at++;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* From after the opening quote to after the closing one. */
static bool scan_string_rest(scanner *s)
{
    for (;;) {
        const unsigned char *p = s->at;
        while (p < s->end && is_plain(*p)) {
            p++;
        }
        copy_to(s, p);
        const int c = peek(s);
        if (c == '"') {
            copy_to(s, s->at + 1);
            return true;
        }
        if (c <= 0) {
            return fail(s, c < 0 ? "a string has no end" : "a NUL in a string");
        }
        if (c < 0x20) {
            scan_control(s);
        } else if (c != '\\') {
            scan_character(s);
        } else if (!scan_escape(s)) {
            return false;
        }
    }
}

static bool scan_key(scanner *s, ahk_slice *raw)
{
    if (peek(s) != '"') {
        return fail(s, "a key in double quotes expected");
    }
    raw->data = s->at + 1;
    copy_to(s, s->at + 1);
    if (!scan_string_rest(s)) {
        return false;
    }
    raw->length = (size_t)(s->at - raw->data) - 1;
    return true;
}

static bool scan_string(scanner *s)
{
    copy_to(s, s->at + 1);
    const ahk_slice rest = {s->at, (size_t)(s->end - s->at)};
    if (ahk_slice_starts(rest, AHK_JSON_MARK) || ahk_json_unit(s->at, s->end) == 0xFDD0) {
        put_mark(s);
    }
    return scan_string_rest(s);
}

/* ---- keys that come twice --------------------------------------------------------------------------- */

/* Notes a key of the object that may have none twice. */
static bool note_key(scanner *s, ahk_slice key)
{
    for (size_t i = 0; i < s->key_count; i++) {
        if (ahk_json_is_same(s->keys[i], key)) {
            return ahk_fail(s->err, "`%s` has a key twice, at byte %zu", s->options->unique,
                            (size_t)(key.data - s->begin));
        }
    }
    if (s->key_count == AHK_JSON_KEYS_MAX) {
        return ahk_fail(s->err, "`%s` has more than %d keys", s->options->unique, AHK_JSON_KEYS_MAX);
    }
    s->keys[s->key_count++] = key;
    return true;
}

/* Whether a key of the outermost object is the one that may come once; false with *err where it came before. */
static bool note_unique(scanner *s, ahk_slice key, bool *is_unique)
{
    const char *name = s->options->unique;
    *is_unique = name != NULL && ahk_json_is_same(key, (ahk_slice){(const unsigned char *)name, strlen(name)});
    if (*is_unique && s->has_unique) {
        return ahk_fail(s->err, "`%s` comes twice", name);
    }
    s->has_unique = s->has_unique || *is_unique;
    return true;
}

/* ---- numbers ---------------------------------------------------------------------------------------- */

static void put_marked(scanner *s, char sort, const unsigned char *end)
{
    put_instead(s, "\"", 1);
    put_mark(s);
    put_instead(s, &sort, 1);
    copy_to(s, end);
    put_instead(s, "\"", 1);
}

static void put_integer(scanner *s, const unsigned char *end)
{
    const bool is_negative = *s->at == '-';
    const ahk_slice digits = {s->at + is_negative, (size_t)(end - s->at) - is_negative};
    if (ahk_json_is_at_most(digits, double_max)) {
        s->report->has_integer = true;
        if (is_negative && digits.data[0] == '0') {
            s->report->is_changed = true; /* no integer is -0 */
            s->at++;
        }
        copy_to(s, end);
    } else if (s->options->has_integers && ahk_json_is_at_most(digits, is_negative ? int64_min : int64_max)) {
        put_marked(s, AHK_JSON_INTEGER, end);
    } else {
        put_marked(s, AHK_JSON_DIGITS, end);
    }
}

static bool scan_number(scanner *s)
{
    bool is_integer = false;
    const unsigned char *end = ahk_json_number_end(s->at, s->end, &is_integer);
    if (end == NULL) {
        return fail(s, "not a number");
    }
    if (is_integer) {
        put_integer(s, end);
    } else {
        put_marked(s, AHK_JSON_FLOAT, end);
    }
    return true;
}

/* ---- values ----------------------------------------------------------------------------------------- */

static bool scan_value(scanner *s, size_t depth, bool is_unique);

/* The comma or the end of a list or object: *is_over says which. */
static bool scan_separator(scanner *s, char close, bool *is_over)
{
    skip_space(s);
    *is_over = peek(s) == close;
    if (!*is_over && peek(s) != ',') {
        return fail(s, close == ']' ? "a comma or ] expected" : "a comma or } expected");
    }
    copy_to(s, s->at + 1);
    skip_space(s);
    return true;
}

/* After the opening bracket: true where the closing one follows at once. */
static bool scan_empty(scanner *s, char close)
{
    copy_to(s, s->at + 1);
    skip_space(s);
    if (peek(s) != close) {
        return false;
    }
    copy_to(s, s->at + 1);
    return true;
}

static bool scan_list(scanner *s, size_t depth)
{
    bool is_over = scan_empty(s, ']');
    while (!is_over) {
        if (!scan_value(s, depth, false) || !scan_separator(s, ']', &is_over)) {
            return false;
        }
    }
    return true;
}

static bool scan_member(scanner *s, size_t depth, bool keys_are_unique)
{
    ahk_slice key = {NULL, 0};
    bool is_unique = false;
    if (!scan_key(s, &key) || (keys_are_unique && !note_key(s, key)) ||
        (depth == 1 && !note_unique(s, key, &is_unique))) {
        return false;
    }
    skip_space(s);
    if (peek(s) != ':') {
        return fail(s, "a colon expected");
    }
    copy_to(s, s->at + 1);
    skip_space(s);
    return scan_value(s, depth, is_unique);
}

static bool scan_object(scanner *s, size_t depth, bool keys_are_unique)
{
    bool is_over = scan_empty(s, '}');
    while (!is_over) {
        if (!scan_member(s, depth, keys_are_unique) || !scan_separator(s, '}', &is_over)) {
            return false;
        }
    }
    return true;
}

static bool scan_word(scanner *s)
{
    static const char *const words[] = {"true", "false", "null"};
    const ahk_slice rest = {s->at, (size_t)(s->end - s->at)};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (ahk_slice_starts(rest, words[i])) {
            copy_to(s, s->at + strlen(words[i]));
            return true;
        }
    }
    return fail(s, "a value expected");
}

/* `is_unique`: if it is an object, none of its keys may come twice. */
static bool scan_value(scanner *s, size_t depth, bool is_unique)
{
    const int c = peek(s);
    if (c == '"') {
        return scan_string(s);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return scan_number(s);
    }
    if (c != '{' && c != '[') {
        return scan_word(s);
    }
    if (depth == AHK_JSON_DEPTH_MAX) {
        return fail(s, "nested too deep");
    }
    return c == '{' ? scan_object(s, depth + 1, is_unique) : scan_list(s, depth + 1);
}

bool ahk_json_scan(ahk_slice text, const ahk_json_options *options, char *out, ahk_json_report *report, ahk_error *err)
{
    AHK_REQUIRE(text.data != NULL && options != NULL && report != NULL);
    scanner s = {.begin = text.data,
                 .at = text.data,
                 .end = text.data + text.length,
                 .options = options,
                 .report = report,
                 .err = err,
                 .out = out};
    *report = (ahk_json_report){0};
    if (ahk_slice_starts(text, BYTE_ORDER_MARK)) {
        s.at += sizeof BYTE_ORDER_MARK - 1;
        report->is_changed = true;
    }
    skip_space(&s);
    report->is_object = peek(&s) == '{';
    if (!scan_value(&s, 0, false)) {
        return false;
    }
    skip_space(&s);
    return s.at == s.end || fail(&s, "something follows the end of the JSON");
}
