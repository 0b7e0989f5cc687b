#include "rows.h"

#include <string.h>

/* The value as it stands, with its length; its bytes follow. */
static bool put(ahk_rows *rows, const ahk_value *value)
{
    if (!ahk_buffer_append(&rows->stream, (const char *)value, sizeof *value)) {
        return false;
    }
    return value->type != AHK_TEXT ||
           ahk_buffer_append(&rows->stream, (const char *)value->as.text.data, value->as.text.length);
}

static ahk_value text_value(const void *data, size_t length)
{
    return (ahk_value){.type = AHK_TEXT, .as.text = {data, length}};
}

static ahk_value column_value(sqlite3_stmt *compiled, int column)
{
    switch (sqlite3_column_type(compiled, column)) {
    case SQLITE_INTEGER:
        return (ahk_value){.type = AHK_INTEGER, .as.integer = sqlite3_column_int64(compiled, column)};
    case SQLITE_FLOAT:
        return (ahk_value){.type = AHK_REAL, .as.real = sqlite3_column_double(compiled, column)};
    case SQLITE_NULL:
        return (ahk_value){.type = AHK_NULL};
    default: {
        const void *data = sqlite3_column_blob(compiled, column); /* before its length: it may convert */
        return text_value(data, (size_t)sqlite3_column_bytes(compiled, column));
    }
    }
}

static bool is_missing(const ahk_value *value)
{
    return value->type == AHK_TEXT && value->as.text.data == NULL && value->as.text.length > 0;
}

static int why_not(const ahk_rows *rows)
{
    return rows->stream.overflowed ? SQLITE_TOOBIG : SQLITE_NOMEM;
}

static int add_names(ahk_rows *rows, sqlite3_stmt *compiled)
{
    rows->stream.max = AHK_ROWS_BYTES_MAX;
    rows->columns = (size_t)sqlite3_column_count(compiled);
    for (size_t i = 0; i < rows->columns; i++) {
        const char *name = sqlite3_column_name(compiled, (int)i);
        if (name == NULL) {
            return SQLITE_NOMEM;
        }
        const ahk_value value = text_value(name, strlen(name));
        if (!put(rows, &value)) {
            return why_not(rows);
        }
    }
    return SQLITE_OK;
}

int ahk_rows_add(ahk_rows *rows, sqlite3_stmt *compiled)
{
    if (rows->count == AHK_ROWS_MAX) {
        return SQLITE_TOOBIG;
    }
    const int code = rows->count == 0 ? add_names(rows, compiled) : SQLITE_OK;
    if (code != SQLITE_OK) {
        return code;
    }
    for (size_t i = 0; i < rows->columns; i++) {
        const ahk_value value = column_value(compiled, (int)i);
        if (is_missing(&value)) {
            return SQLITE_NOMEM;
        }
        if (!put(rows, &value)) {
            return why_not(rows);
        }
    }
    rows->count++;
    return SQLITE_OK;
}

ahk_value ahk_rows_next(const ahk_rows *rows, size_t *at)
{
    ahk_value value;
    AHK_REQUIRE(*at + sizeof value <= rows->stream.length);
    memcpy(&value, rows->stream.data + *at, sizeof value);
    *at += sizeof value;
    if (value.type == AHK_TEXT) {
        value.as.text.data = (const unsigned char *)rows->stream.data + *at;
        *at += value.as.text.length;
    }
    return value;
}

void ahk_rows_free(ahk_rows *rows)
{
    ahk_buffer_free(&rows->stream);
    rows->columns = 0;
    rows->count = 0;
}
