#include "head.h"

#include <string.h>

void ahk_head_begin(ahk_head *head)
{
    ahk_buffer_reset(&head->lines, AHK_HEADERS_MAX);
    head->count = 0;
    head->status = 0;
    head->interim = 0;
    head->position = AHK_AT_STATUS_LINE;
    head->malformed = NULL;
}

void ahk_head_free(ahk_head *head)
{
    ahk_buffer_free(&head->lines);
}

#define A_LINE "a line of it cannot be read"

enum { SWITCHING = 101, NO_CONTENT = 204, NOT_MODIFIED = 304, LENGTH_DIGITS_MAX = 10 };

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

void ahk_head_refuse(ahk_head *head, const char *why)
{
    head->malformed = why;
}

static bool refuse(ahk_head *head, const char *why)
{
    ahk_head_refuse(head, why);
    return false;
}

static const char VERSION_PREFIX[] = "HTTP/";

bool ahk_head_names_http2(ahk_slice status_line)
{
    const size_t at = sizeof VERSION_PREFIX - 1;
    return ahk_slice_starts(status_line, VERSION_PREFIX) && status_line.length > at && status_line.data[at] >= '2';
}

/* The status of a line `HTTP/x.y nnn`, 0 for any other. Several blanks are allowed, as libcurl allows them: both have
 * to agree on which answers are informational. */
static int read_status(ahk_slice line)
{
    size_t at = sizeof VERSION_PREFIX - 1;
    if (!ahk_slice_starts(line, VERSION_PREFIX)) {
        return 0;
    }
    while (at < line.length && (is_digit(line.data[at]) || line.data[at] == '.')) {
        at++;
    }
    const size_t version_end = at;
    while (at < line.length && is_blank(line.data[at])) {
        at++;
    }
    int status = 0;
    const size_t digits = at;
    while (at < line.length && at < digits + 3 && is_digit(line.data[at])) {
        status = status * 10 + (line.data[at++] - '0');
    }
    const bool ends = at == line.length || ahk_is_space(line.data[at]);
    return digits > version_end && at == digits + 3 && ends ? status : 0;
}

static bool take_status_line(ahk_head *head, ahk_slice line)
{
    head->status = read_status(line);
    head->lines.length = 0;
    head->count = 0;
    head->is_old = ahk_slice_starts(line, "HTTP/1.0");
    head->has_length = head->has_coding = head->is_ambiguous = false;
    head->length = 0;
    head->position = AHK_IN_HEAD;
    if (head->status == SWITCHING) {
        return refuse(head, "the server changes to a protocol that nobody asked for");
    }
    return head->status >= 100 || refuse(head, "its status line cannot be read");
}

static void lower(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') {
            text[i] = (char)(text[i] + ('a' - 'A'));
        }
    }
}

/* Digits and nothing else. */
static bool read_length(ahk_slice value, unsigned long long *length)
{
    *length = 0;
    for (size_t i = 0; i < value.length; i++) {
        if (!is_digit(value.data[i]) || i == LENGTH_DIGITS_MAX) {
            return false;
        }
        *length = *length * 10 + (value.data[i] - '0');
    }
    return value.length > 0;
}

static bool is_chunked(ahk_slice value)
{
    char coding[] = "chunked";
    const size_t length = sizeof coding - 1;
    if (value.length == length) {
        memcpy(coding, value.data, length);
        lower(coding, length);
    }
    return value.length == length && strcmp(coding, "chunked") == 0;
}

/* Notes what says where the body ends. */
static void note_framing(ahk_head *head, ahk_slice name, ahk_slice value)
{
    if (ahk_slice_is(name, "content-length")) {
        const bool is_read = read_length(value, &head->length);
        head->is_ambiguous = head->is_ambiguous || head->has_length || !is_read;
        head->has_length = true;
    } else if (ahk_slice_is(name, "transfer-encoding")) {
        head->is_ambiguous = head->is_ambiguous || head->has_coding || !is_chunked(value);
        head->has_coding = true;
    }
}

/* The colon of `name: value`; NULL for a folded line, or another one that RFC 9112 forbids. */
static const unsigned char *colon_of(ahk_slice line)
{
    const unsigned char *colon = memchr(line.data, ':', line.length);
    const bool is_header = colon != NULL && colon != line.data && !is_blank(line.data[0]) && !is_blank(colon[-1]) &&
                           !ahk_slice_has(line, '\0');
    return is_header ? colon : NULL;
}

static bool count_line(ahk_head *head)
{
    head->lines.overflowed = head->lines.overflowed || ++head->count > AHK_HEADER_COUNT_MAX;
    return !head->lines.overflowed;
}

static bool take_header(ahk_head *head, ahk_slice line)
{
    const unsigned char *colon = colon_of(line);
    if (colon == NULL) {
        return refuse(head, A_LINE);
    }
    if (!count_line(head) || !ahk_buffer_append(&head->lines, (const char *)line.data, line.length)) {
        return false;
    }
    const size_t name_length = (size_t)(colon - line.data);
    char *name = head->lines.data + head->lines.length - line.length;
    lower(name, name_length);
    note_framing(head, (ahk_slice){(const unsigned char *)name, name_length},
                 ahk_slice_trim((ahk_slice){colon + 1, line.length - name_length - 1}));
    return true;
}

static bool end_head(ahk_head *head)
{
    if (head->status < 200) {
        head->position = AHK_AT_STATUS_LINE;
        return ++head->interim < AHK_INTERIM_MAX || refuse(head, "one interim answer comes after the other");
    }
    head->position = AHK_BEHIND_HEAD;
    head->count = 0;
    if (head->status == NO_CONTENT || head->status == NOT_MODIFIED) {
        head->length = 0;
        return true;
    }
    const bool is_ambiguous = head->is_ambiguous || (head->has_coding && (head->has_length || head->is_old));
    return !is_ambiguous || refuse(head, "it does not say clearly where the body ends");
}

/* A CR or LF alone ends the line for some parsers, and not for others. */
static bool ends_well(ahk_slice line)
{
    return line.length >= 2 && memchr(line.data, '\r', line.length) == line.data + line.length - 2 &&
           memchr(line.data, '\n', line.length) == line.data + line.length - 1;
}

bool ahk_head_take(ahk_head *head, ahk_slice line)
{
    AHK_REQUIRE(ahk_slice_is_valid(line));
    AHK_REQUIRE(head->lines.max == AHK_HEADERS_MAX);                 /* ahk_head_begin was called */
    AHK_REQUIRE(head->malformed == NULL && !head->lines.overflowed); /* no line was refused */
    const bool is_empty = line.length == 2;
    if (!ends_well(line)) {
        return refuse(head, "a line of it has no proper end");
    }
    switch (head->position) {
    case AHK_AT_STATUS_LINE:
        return take_status_line(head, line);
    case AHK_IN_HEAD:
        return is_empty ? end_head(head) : take_header(head, line);
    default:
        if (is_empty) {
            return true;
        }
        return colon_of(line) != NULL ? count_line(head) : refuse(head, A_LINE);
    }
}

bool ahk_head_next(ahk_slice *lines, ahk_slice *name, ahk_slice *value)
{
    AHK_REQUIRE(ahk_slice_is_valid(*lines) && name != NULL && value != NULL);
    while (lines->length > 0) {
        const unsigned char *end = memchr(lines->data, '\n', lines->length);
        const size_t length = end != NULL ? (size_t)(end - lines->data) : lines->length;
        const ahk_slice line = {lines->data, length};
        const size_t taken = end != NULL ? length + 1 : length;
        lines->data += taken;
        lines->length -= taken;
        const unsigned char *colon = length > 0 ? memchr(line.data, ':', length) : NULL;
        if (colon != NULL && colon > line.data) {
            const size_t name_length = (size_t)(colon - line.data);
            *name = (ahk_slice){line.data, name_length};
            *value = ahk_slice_trim((ahk_slice){colon + 1, length - name_length - 1});
            return true;
        }
    }
    return false;
}
