/* A connection to a file that is there: how it is set up, and whether it may be used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database_private.h"

/* The first version that can distrust a schema. */
enum { OLDEST = 3031000 };

bool ahk_database_is_supported(ahk_store_fault *fault)
{
    return (sqlite3_threadsafe() != 0 && sqlite3_libversion_number() >= OLDEST) ||
           ahk_store_fail(fault, "SQLITE_ERROR", "SQLite 3.31 or later, built for threads, is needed; this is %s",
                          sqlite3_libversion());
}

/* ---- how it is set up --------------------------------------------------------------------------- */

/* SQL in the file's schema is not ours, and nothing of what SQLite offers beyond tables is needed. */
static const struct {
    int option;
    int value;
} OPTIONS[] = {
    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    {SQLITE_DBCONFIG_DEFENSIVE, 1},
    {SQLITE_DBCONFIG_DQS_DDL, 0},
    {SQLITE_DBCONFIG_DQS_DML, 0},
    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
};

/* Another file would be written past our lock. */
static const struct {
    int limit;
    int value;
} LIMITS[] = {
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LENGTH, AHK_VALUE_MAX},
    {SQLITE_LIMIT_SQL_LENGTH, AHK_SQL_MAX},
    {SQLITE_LIMIT_VARIABLE_NUMBER, AHK_PARAMETERS_MAX},
};

static bool configure(ahk_database *database, ahk_store_fault *fault)
{
    sqlite3 *connection = database->connection;
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        const int code = sqlite3_db_config(connection, OPTIONS[i].option, OPTIONS[i].value, NULL);
        if (code != SQLITE_OK) {
            return ahk_database_fail(database, code, fault);
        }
    }
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        (void)sqlite3_limit(connection, LIMITS[i].limit, LIMITS[i].value);
    }
    (void)sqlite3_extended_result_codes(connection, 1);
    (void)sqlite3_busy_timeout(connection, database->options.lock_ms);
    return true;
}

/* ---- what it holds ------------------------------------------------------------------------------ */

typedef struct {
    char text[200];
} answer;

/* The first column of the first row, as text; empty for none. */
static bool ask(ahk_database *database, const char *sql, answer *out, ahk_store_fault *fault)
{
    sqlite3_stmt *compiled = NULL;
    out->text[0] = '\0';
    int code = sqlite3_prepare_v2(database->connection, sql, -1, &compiled, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(compiled);
    }
    if (code == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(compiled, 0);
        (void)snprintf(out->text, sizeof out->text, "%s", text != NULL ? text : "");
    }
    const bool done = code == SQLITE_ROW || code == SQLITE_DONE || ahk_database_fail(database, code, fault);
    (void)sqlite3_finalize(compiled);
    return done;
}

bool ahk_database_check(ahk_database *database, ahk_store_fault *fault)
{
    answer found;
    if (!ahk_database_is_ours(database, fault) || !ask(database, "PRAGMA quick_check(1)", &found, fault)) {
        return false;
    }
    if (strcmp(found.text, "ok") == 0) {
        ahk_fork_note_sound(&database->fork_entry);
        return true;
    }
    (void)ahk_database_fail(database, SQLITE_CORRUPT, fault);
    return ahk_store_fail(fault, "SQLITE_CORRUPT", "%s (%.*s)", fault->message.text, ahk_shown(found.text, 160),
                          found.text);
}

bool ahk_database_is_checked(const ahk_database *database)
{
    return ahk_fork_is_sound(&database->fork_entry);
}

/* Reads its first page, whoever made it. */
static bool is_database(ahk_database *database, ahk_store_fault *fault)
{
    answer tables;
    return ask(database, "SELECT count(*) FROM sqlite_master", &tables, fault);
}

/* Nothing is in it, or what its application put there. */
static bool is_expected(ahk_database *database, ahk_store_fault *fault)
{
    answer found;
    const int expected = database->options.application_id;
    if (expected == 0) {
        return true;
    }
    if (!ask(database,
             "SELECT CASE WHEN application_id = 0 AND NOT EXISTS (SELECT * FROM sqlite_master) THEN 'empty' "
             "ELSE application_id END FROM pragma_application_id",
             &found, fault)) {
        return false;
    }
    return strcmp(found.text, "empty") == 0 || strtol(found.text, NULL, 10) == expected ||
           ahk_store_fail(fault, "FOREIGN",
                          AHK_PATH_FORMAT ": it is the database of another program, and left as it was: name another "
                                          "file",
                          AHK_PATH(database->path.text));
}

/* SQLite opens for reading what it may not write. */
static bool is_writable(ahk_database *database, ahk_store_fault *fault)
{
    return sqlite3_db_readonly(database->connection, "main") == 0 ||
           ahk_store_fail_sqlite(fault, database->path.text, NULL, SQLITE_READONLY);
}

/* This writes, so that what holds something in another form is looked at first. A new file gets small pages: a commit
 * writes whole ones, and one event changes a few bytes in each of many. */
static bool use_wal(ahk_database *database, ahk_store_fault *fault)
{
    answer mode;
    answer pages;
    if (!ask(database, "PRAGMA journal_mode", &mode, fault) || !ask(database, "PRAGMA page_count", &pages, fault)) {
        return false;
    }
    if (strcmp(mode.text, "wal") == 0) {
        return true;
    }
    const bool is_new = strcmp(pages.text, "0") == 0;
    if (is_new ? !ask(database, "PRAGMA page_size=1024", &pages, fault) : !ahk_database_check(database, fault)) {
        return false;
    }
    return ask(database, "PRAGMA journal_mode=WAL", &mode, fault) &&
           (strcmp(mode.text, "wal") == 0 ||
            ahk_store_fail_sqlite(fault, database->path.text, NULL, SQLITE_IOERR_SHMMAP));
}

/* Text in UTF-16 would come out in other bytes than it went in. */
static bool is_utf8(ahk_database *database, ahk_store_fault *fault)
{
    answer encoding;
    return ask(database, "PRAGMA encoding", &encoding, fault) &&
           (strcmp(encoding.text, "UTF-8") == 0 ||
            ahk_store_fail(fault, "SQLITE_MISMATCH", AHK_PATH_FORMAT ": its text is in %s, not in UTF-8: name another",
                           AHK_PATH(database->path.text), encoding.text));
}

/* FULL: a commit is on the disk when it returns. What is deleted is overwritten, and temporary tables stay in memory:
 * there is personal data in it. */
static bool set_pragmas(ahk_database *database, ahk_store_fault *fault)
{
    answer none;
    return ask(database, "PRAGMA synchronous=FULL", &none, fault) &&
           ask(database, "PRAGMA secure_delete=ON", &none, fault) &&
           ask(database, "PRAGMA temp_store=MEMORY", &none, fault);
}

/* It is made by the first read, and stays for as long as anybody has the file open. SQLite syncs its name with the
 * first commit, and says yes whatever comes of that; even where no descriptor was left for it. */
static bool note_wal(ahk_database *database, ahk_store_fault *fault)
{
    const ahk_store_path name = ahk_store_beside(&database->path, "-wal");
    return is_database(database, fault) &&
           (ahk_store_find(&name, &database->wal) || ahk_store_fail_sqlite(fault, name.text, NULL, SQLITE_CANTOPEN)) &&
           ahk_store_sync_directory(&name, fault);
}

static bool prepare_rollback(ahk_database *database, ahk_store_fault *fault)
{
    static const char sql[] = "ROLLBACK";
    const int code =
        sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &database->rollback, NULL);
    return code == SQLITE_OK || ahk_database_fail(database, code, fault);
}

bool ahk_database_connect(ahk_database *database, ahk_store_fault *fault)
{
    enum { FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX };
    const int code = sqlite3_open_v2(database->path.text, &database->connection, FLAGS, NULL);
    if (code != SQLITE_OK) {
        return ahk_database_fail(database, code, fault);
    }
    return configure(database, fault) && is_database(database, fault) && is_expected(database, fault) &&
           is_writable(database, fault) && is_utf8(database, fault) && use_wal(database, fault) &&
           set_pragmas(database, fault) && note_wal(database, fault) && prepare_rollback(database, fault);
}
