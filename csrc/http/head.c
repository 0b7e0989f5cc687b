#include "head.h"

#include <string.h>

void ahk_head_begin(ahk_head *head)
{
    ahk_buffer_reset(&head->lines, AHK_HEADERS_MAX);
    head->count = 0;
    head->status = 0;
    head->position = AHK_AT_STATUS_LINE;
    head->malformed = false;
}

void ahk_head_free(ahk_head *head)
{
    ahk_buffer_free(&head->lines);
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

void ahk_head_refuse(ahk_head *head)
{
    head->malformed = true;
}

static bool refuse(ahk_head *head)
{
    ahk_head_refuse(head);
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
    head->position = AHK_IN_HEAD;
    return head->status >= 100 || refuse(head);
}

static void lower(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z') {
            text[i] = (char)(text[i] + ('a' - 'A'));
        }
    }
}

static bool take_header(ahk_head *head, ahk_slice line)
{
    const unsigned char *colon = memchr(line.data, ':', line.length);
    if (colon == NULL || colon == line.data || is_blank(line.data[0]) || is_blank(colon[-1]) ||
        ahk_slice_has(line, '\0')) {
        return refuse(head); /* a folded line, or not `name: value`: RFC 9112 forbids both */
    }
    if (++head->count > AHK_HEADER_COUNT_MAX) {
        head->lines.overflowed = true;
        return false;
    }
    if (!ahk_buffer_append(&head->lines, (const char *)line.data, line.length)) {
        return false;
    }
    lower(head->lines.data + head->lines.length - line.length, (size_t)(colon - line.data));
    return true;
}

bool ahk_head_take(ahk_head *head, ahk_slice line)
{
    AHK_REQUIRE(ahk_slice_is_valid(line));
    AHK_REQUIRE(head->lines.max == AHK_HEADERS_MAX);          /* ahk_head_begin was called */
    AHK_REQUIRE(!head->malformed && !head->lines.overflowed); /* no line was refused */
    const bool empty = line.length == 0 || line.data[0] == '\r' || line.data[0] == '\n';
    switch (head->position) {
    case AHK_AT_STATUS_LINE:
        return take_status_line(head, line);
    case AHK_IN_HEAD:
        if (!empty) {
            return take_header(head, line);
        }
        head->position = head->status < 200 ? AHK_AT_STATUS_LINE : AHK_BEHIND_HEAD;
        return true;
    default:
        return true;
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
