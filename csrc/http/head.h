/* The head of an answer, taken line by line: what is believed of it, and what is not. Knows no libcurl.
 *
 * An answer that parsers read in different ways is refused, as over cosockets (`http1.lua`): a proxy may have read it
 * in another way than libcurl does. */
#ifndef AHK_HEAD_H
#define AHK_HEAD_H

#include <stdbool.h>

#include "../base/buffer.h"
#include "../base/contract.h"
#include "../base/slice.h"

#define AHK_HEADERS_MAX ((size_t)64 * 1024)
#define AHK_HEADER_COUNT_MAX 100
#define AHK_INTERIM_MAX 100

typedef enum {
    AHK_AT_STATUS_LINE,
    AHK_IN_HEAD,
    AHK_BEHIND_HEAD /* what comes now are trailers: never taken for headers */
} ahk_head_position;

typedef struct {
    ahk_buffer lines; /* headers of the head at hand as received, a line each, but for the names: in lower case */
    int count;        /* of these; behind the head, of the trailers */
    int status;       /* of the head at hand, 0 before one */
    int interim;      /* how many heads of 1xx there were */
    bool is_old;      /* HTTP/1.0 */
    bool has_length;
    bool has_coding;
    bool is_ambiguous;         /* one of the two has no form in which all parsers read it alike */
    unsigned long long length; /* of the body, as Content-Length has it; 0 without */
    ahk_head_position position;
    const char *malformed; /* what is wrong with it, NULL for nothing */
} ahk_head;

/* Forgets the answer before; keeps the memory. A zeroed head may begin. */
void ahk_head_begin(ahk_head *head);

/* Takes one line, with its end, the status line, the empty line and trailers included. A head of 1xx is forgotten when
 * the next one begins. False for a line that ends the transfer: `malformed`, `lines.overflowed` (AHK_HEADERS_MAX bytes
 * or AHK_HEADER_COUNT_MAX lines), or else memory is short. */
AHK_MUST_USE bool ahk_head_take(ahk_head *head, ahk_slice line);

/* Makes the head malformed; `why`, of static storage, goes on from "the answer's head: ". */
void ahk_head_refuse(ahk_head *head, const char *why);

void ahk_head_free(ahk_head *head);

/* Whether a status line names HTTP/2 or a later version. */
bool ahk_head_names_http2(ahk_slice status_line);

/* Takes the next `name: value` off *lines; false at the end. */
AHK_MUST_USE bool ahk_head_next(ahk_slice *lines, ahk_slice *name, ahk_slice *value);

#endif
