/* A prepared statement of a database. */
#ifndef AHK_STORE_STATEMENT_H
#define AHK_STORE_STATEMENT_H

#include "database.h"
#include "rows.h"

enum { AHK_PARAMETERS_MAX = 64 };

typedef struct ahk_statement ahk_statement;

/* Compiles the one statement that `sql` is. NULL and a fault where it is none, or more. */
AHK_MUST_USE ahk_statement *ahk_statement_new(ahk_database *database, ahk_slice sql, ahk_store_fault *fault);

/* NULL is fine, before and after its database is closed. */
void ahk_statement_free(ahk_statement *statement);

/* False once its database is closed: nothing but ahk_statement_free may be called then. */
bool ahk_statement_is_open(const ahk_statement *statement);

/* At most AHK_PARAMETERS_MAX. */
size_t ahk_statement_parameters(const ahk_statement *statement);

typedef enum { AHK_NO_ROWS, AHK_FIRST_ROW, AHK_ALL_ROWS } ahk_wanted;

/* Runs it, with that many values as it has parameters; what they point to must stay for the call. It is at its
 * beginning again when this returns, whatever happened. `rows`, empty, takes those that are wanted, and may be NULL for
 * none. More than AHK_ROWS_MAX, or than AHK_ROWS_BYTES_MAX of them, is a failure, code "SQLITE_TOOBIG": then a
 * statement that writes has not. */
AHK_MUST_USE bool ahk_statement_run(ahk_statement *statement, const ahk_value *values, ahk_wanted wanted,
                                    ahk_rows *rows, ahk_store_fault *fault);

/* Of the database, right after a statement has run: how many rows it changed, and the last that was inserted. */
int64_t ahk_statement_changes(const ahk_statement *statement);
int64_t ahk_statement_last_rowid(const ahk_statement *statement);

#endif
