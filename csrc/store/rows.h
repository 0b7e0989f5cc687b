/* What goes into a statement and comes out of it. */
#ifndef AHK_STORE_ROWS_H
#define AHK_STORE_ROWS_H

#include <stdint.h>

#include "../base/buffer.h"
#include "../base/slice.h"
#include "fault.h"

#define AHK_VALUE_MAX ((size_t)64 * 1024 * 1024)
#define AHK_ROWS_BYTES_MAX ((size_t)65 * 1024 * 1024) /* with what their bookkeeping takes */
#define AHK_ROWS_MAX 65536

typedef enum { AHK_NULL, AHK_INTEGER, AHK_REAL, AHK_TEXT } ahk_value_type;

/* A BLOB comes back as AHK_TEXT too: bytes, with or without NUL among them. */
typedef struct {
    ahk_value_type type;
    union {
        int64_t integer;
        double real;
        ahk_slice text; /* somebody else's */
    } as;
} ahk_value;

/* Rows, copied out of SQLite. Zeroed it holds none. */
typedef struct {
    ahk_buffer stream; /* the names of the columns, and the values row by row */
    size_t columns;
    size_t count;
} ahk_rows;

/* Adds the row that the statement is on; a code of SQLite's. */
AHK_MUST_USE int ahk_rows_add(ahk_rows *rows, sqlite3_stmt *compiled);

/* Reads on from *at, which begins at 0: the columns' names, each an AHK_TEXT, then the values. Points into the rows. */
ahk_value ahk_rows_next(const ahk_rows *rows, size_t *at);

void ahk_rows_free(ahk_rows *rows);

#endif
