#include "statement.h"

#include <stdlib.h>

#include "database_private.h"

/* ---- its life ----------------------------------------------------------------------------------- */

static void end(ahk_statement *statement)
{
    (void)sqlite3_finalize(statement->compiled);
    ahk_list_remove(&statement->node);
    statement->compiled = NULL;
    statement->database = NULL;
}

static bool is_rest_blank(ahk_slice rest)
{
    for (size_t i = 0; i < rest.length; i++) {
        if (rest.data[i] != ';' && !ahk_is_space(rest.data[i])) {
            return false;
        }
    }
    return true;
}

static bool compile_one(ahk_database *database, ahk_slice sql, sqlite3_stmt **compiled, ahk_store_fault *fault)
{
    if (!ahk_database_is_ours(database, fault) || !ahk_database_compile(database, &sql, compiled, fault)) {
        return false;
    }
    if (*compiled != NULL && is_rest_blank(sql)) {
        return true;
    }
    const char *found = *compiled == NULL ? "none" : "more than one";
    (void)sqlite3_finalize(*compiled);
    return ahk_store_fail(fault, "SQLITE_MISUSE", "one statement is prepared at a time: this SQL is %s", found);
}

ahk_statement *ahk_statement_new(ahk_database *database, ahk_slice sql, ahk_store_fault *fault)
{
    AHK_REQUIRE(database != NULL && ahk_slice_is_valid(sql));
    ahk_statement *statement = calloc(1, sizeof *statement);
    if (statement == NULL) {
        (void)ahk_store_fail_sqlite(fault, database->path.text, NULL, SQLITE_NOMEM);
        return NULL;
    }
    if (!compile_one(database, sql, &statement->compiled, fault)) {
        free(statement);
        return NULL;
    }
    statement->database = database;
    ahk_list_put(&database->statements, &statement->node);
    return statement;
}

bool ahk_statement_is_open(const ahk_statement *statement)
{
    return statement->database != NULL;
}

void ahk_statement_free(ahk_statement *statement)
{
    ahk_store_fault ignored = AHK_STORE_FAULT_INIT;
    if (statement == NULL) {
        return;
    }
    if (ahk_statement_is_open(statement)) {
        if (!ahk_database_is_ours(statement->database, &ignored)) {
            return; /* it stays with the connection */
        }
        end(statement);
    }
    free(statement);
}

void ahk_database_end_statements(ahk_database *database)
{
    while (database->statements != NULL) {
        end((ahk_statement *)database->statements);
    }
}

size_t ahk_statement_parameters(const ahk_statement *statement)
{
    return (size_t)sqlite3_bind_parameter_count(statement->compiled);
}

/* ---- running ------------------------------------------------------------------------------------ */

static int bind_value(sqlite3_stmt *compiled, int at, const ahk_value *value)
{
    switch (value->type) {
    case AHK_INTEGER:
        return sqlite3_bind_int64(compiled, at, value->as.integer);
    case AHK_REAL:
        return sqlite3_bind_double(compiled, at, value->as.real);
    case AHK_TEXT:
        return sqlite3_bind_text64(compiled, at, (const char *)value->as.text.data, value->as.text.length,
                                   SQLITE_STATIC, SQLITE_UTF8);
    default:
        return sqlite3_bind_null(compiled, at);
    }
}

static int bind_all(ahk_statement *statement, const ahk_value *values)
{
    const size_t count = ahk_statement_parameters(statement);
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = bind_value(statement->compiled, (int)i + 1, &values[i]);
    }
    return code;
}

/* A statement that writes has done so at its first row; it is undone by being interrupted, and only so. */
static int undo(ahk_statement *statement, int code)
{
    if (!sqlite3_stmt_readonly(statement->compiled)) {
        sqlite3_interrupt(statement->database->connection);
        (void)sqlite3_step(statement->compiled);
    }
    return code;
}

/* To its end, but for a statement that reads and has given its first row: a code of SQLite's. */
static int step_all(ahk_statement *statement, ahk_wanted wanted, ahk_rows *rows)
{
    int code;
    while ((code = sqlite3_step(statement->compiled)) == SQLITE_ROW) {
        if (wanted == AHK_ALL_ROWS || (wanted == AHK_FIRST_ROW && rows->count == 0)) {
            const int added = ahk_rows_add(rows, statement->compiled);
            if (added != SQLITE_OK) {
                return undo(statement, added);
            }
        }
        if (wanted == AHK_FIRST_ROW && sqlite3_stmt_readonly(statement->compiled)) {
            return SQLITE_DONE;
        }
    }
    return code;
}

static bool fail_to_run(ahk_statement *statement, int code, const ahk_rows *rows, ahk_store_fault *fault)
{
    if (code == SQLITE_TOOBIG && rows != NULL && rows->count > 0) {
        return ahk_store_fail(fault, "SQLITE_TOOBIG",
                              "more than %d rows, or than 64 MiB of them: ask for fewer (LIMIT); nothing was changed",
                              AHK_ROWS_MAX);
    }
    return ahk_database_fail(statement->database, code, fault);
}

static bool run(ahk_statement *statement, const ahk_value *values, ahk_wanted wanted, ahk_rows *rows,
                ahk_store_fault *fault)
{
    sqlite3 *connection = statement->database->connection;
    const int before = sqlite3_total_changes(connection);
    int code = bind_all(statement, values);
    if (code == SQLITE_OK) {
        code = step_all(statement, wanted, rows);
    }
    /* What is no INSERT, UPDATE or DELETE leaves the count of the last one. */
    statement->changes = sqlite3_total_changes(connection) != before ? sqlite3_changes(connection) : 0;
    return code == SQLITE_DONE || fail_to_run(statement, code, rows, fault);
}

bool ahk_statement_run(ahk_statement *statement, const ahk_value *values, ahk_wanted wanted, ahk_rows *rows,
                       ahk_store_fault *fault)
{
    AHK_REQUIRE(ahk_statement_is_open(statement) && (wanted == AHK_NO_ROWS) == (rows == NULL));
    if (!ahk_database_is_ours(statement->database, fault) ||
        !ahk_database_may_run(statement->database, statement->compiled, fault)) {
        return false;
    }
    const bool done = run(statement, values, wanted, rows, fault);
    (void)sqlite3_reset(statement->compiled);
    (void)sqlite3_clear_bindings(statement->compiled);
    return done;
}

int64_t ahk_statement_changes(const ahk_statement *statement)
{
    return statement->changes;
}

int64_t ahk_statement_last_rowid(const ahk_statement *statement)
{
    return sqlite3_last_insert_rowid(statement->database->connection);
}
