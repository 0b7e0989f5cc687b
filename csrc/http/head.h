/* The head of an answer, taken line by line: what is believed of it, and what is not. Knows no libcurl. */
#ifndef AHK_HEAD_H
#define AHK_HEAD_H

#include <stdbool.h>

#include "../base/buffer.h"
#include "../base/contract.h"
#include "../base/slice.h"

#define AHK_HEADERS_MAX ((size_t)64 * 1024)
#define AHK_HEADER_COUNT_MAX 100

typedef enum {
    AHK_AT_STATUS_LINE,
    AHK_IN_HEAD,
    AHK_BEHIND_HEAD /* what comes now are trailers: never taken for headers */
} ahk_head_position;

typedef struct {
    ahk_buffer lines; /* headers of the head at hand as received, a line each, but for the names: in lower case */
    int count;
    int status; /* of the head at hand, 0 before one */
    ahk_head_position position;
    bool malformed;
} ahk_head;

/* Forgets the answer before; keeps the memory. A zeroed head may begin. */
void ahk_head_begin(ahk_head *head);

/* Takes one line, with its end, the status line and the empty line included. A head of 1xx is forgotten when the next
 * one begins. False for a line that ends the transfer: `malformed`, `lines.overflowed` (AHK_HEADERS_MAX bytes or
 * AHK_HEADER_COUNT_MAX lines), or else memory is short. */
AHK_MUST_USE bool ahk_head_take(ahk_head *head, ahk_slice line);

/* Makes the head malformed. */
void ahk_head_refuse(ahk_head *head);

void ahk_head_free(ahk_head *head);

/* Whether a status line names HTTP/2 or a later version. */
bool ahk_head_names_http2(ahk_slice status_line);

/* Takes the next `name: value` off *lines; false at the end. */
AHK_MUST_USE bool ahk_head_next(ahk_slice *lines, ahk_slice *name, ahk_slice *value);

#endif
