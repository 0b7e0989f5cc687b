/* What went wrong with a store: a code for programs, and a line for a person, which names the file and what to do. */
#ifndef AHK_STORE_FAULT_H
#define AHK_STORE_FAULT_H

#include <sqlite3.h>
#include <stdbool.h>

#include "../base/contract.h"
#include "../base/error.h"

typedef struct {
    const char *code; /* SQLite's name for it ("SQLITE_FULL"), or one of ours; a constant */
    ahk_error message;
} ahk_store_fault;

#define AHK_STORE_FAULT_INIT                                                                                           \
    {                                                                                                                  \
        "SQLITE_ERROR", AHK_ERROR_INIT                                                                                 \
    }

/* What of a result code says the kind; the rest says more about it. */
enum { AHK_STORE_PRIMARY = 0xFF };

/* All return false, as ahk_fail does. The format begins with the file. */
bool ahk_store_fail(ahk_store_fault *fault, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the system refused for that file; code "DESCRIPTORS" where there were none left. */
bool ahk_store_fail_errno(ahk_store_fault *fault, const char *path, int code);

/* What SQLite refused; `connection` has its words, and may be NULL. */
bool ahk_store_fail_sqlite(ahk_store_fault *fault, const char *path, sqlite3 *connection, int code);

/* The name of an extended result code; that of its primary code where this one is not known. */
const char *ahk_store_code_name(int code);

#endif
