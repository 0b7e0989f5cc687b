#include "database.h"

#include <stdlib.h>

#include "database_private.h"

bool ahk_database_fail(ahk_database *database, int code, ahk_store_fault *fault)
{
    const int primary = code & AHK_STORE_PRIMARY;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        database->must_not_checkpoint = true;
    }
    return ahk_store_fail_sqlite(fault, database->path.text, database->connection, code);
}

bool ahk_database_is_ours(const ahk_database *database, ahk_store_fault *fault)
{
    return !ahk_fork_is_inherited(&database->fork_entry) ||
           ahk_store_fail(fault, "FORKED",
                          AHK_PATH_FORMAT ": this handle is the parent's, from before the "
                                          "fork: open the file after the fork",
                          AHK_PATH(database->path.text));
}

/* ---- opening and closing ------------------------------------------------------------------------ */

/* All under the lock: two that make the same file, or turn it to WAL, would meet. */
static bool open_at(ahk_database *database, const char *path, ahk_store_fault *fault)
{
    if (!ahk_store_resolve(path, &database->path, fault) || !ahk_fork_allows(&database->path, fault) ||
        !ahk_lock_wait(&database->writer, &database->path, database->options.lock_ms, fault)) {
        return false;
    }
    const bool is_open = ahk_store_ensure(&database->path, fault) &&
                         ahk_fork_enter(&database->fork_entry, &database->path, fault) &&
                         ahk_database_connect(database, fault);
    ahk_lock_release(&database->writer);
    return is_open;
}

ahk_database *ahk_database_open(const char *path, ahk_database_options options, ahk_store_fault *fault)
{
    AHK_REQUIRE(path != NULL && options.lock_ms >= 0 && options.lock_ms <= AHK_LOCK_MS_MAX);
    ahk_database *database = calloc(1, sizeof *database);
    if (database == NULL) {
        (void)ahk_store_fail_sqlite(fault, path, NULL, SQLITE_NOMEM);
        return NULL;
    }
    database->writer = (ahk_lock)AHK_LOCK_INIT("-lock");
    database->deliverer = (ahk_lock)AHK_LOCK_INIT("-deliver");
    database->fork_entry.locks[0] = &database->writer;
    database->fork_entry.locks[1] = &database->deliverer;
    database->options = options;
    if (!open_at(database, path, fault)) {
        database->must_not_checkpoint = true; /* it stays as it was */
        ahk_database_close(database);
        return NULL;
    }
    return database;
}

static bool has_moved(const ahk_database *database)
{
    int moved = 0;
    return sqlite3_file_control(database->connection, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

/* The last connection carries the WAL into the file and removes it. By its name: where the file is another one, that
 * would be another's. */
static bool may_checkpoint(ahk_database *database)
{
    ahk_store_fault ignored = AHK_STORE_FAULT_INIT;
    return !database->must_not_checkpoint && !has_moved(database) &&
           ahk_lock_try(&database->writer, &database->path, &ignored) == AHK_LOCK_HELD;
}

static void disconnect(ahk_database *database)
{
    if (database->connection == NULL) {
        return;
    }
    ahk_database_end_statements(database);
    (void)sqlite3_finalize(database->rollback);
    (void)sqlite3_db_config(database->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !may_checkpoint(database), NULL);
    (void)sqlite3_close(database->connection);
}

void ahk_database_close(ahk_database *database)
{
    if (database == NULL) {
        return;
    }
    const bool is_ours = !ahk_fork_is_inherited(&database->fork_entry);
    if (is_ours) {
        disconnect(database);
    }
    ahk_lock_close(&database->writer);
    ahk_lock_close(&database->deliverer);
    if (is_ours) {
        ahk_fork_leave(&database->fork_entry);
        free(database);
    }
}

bool ahk_database_is_replaced(const ahk_database *database)
{
    const ahk_store_path wal = ahk_store_beside(&database->path, "-wal");
    ahk_store_file found;
    return ahk_store_find(&database->path, &found) && !ahk_store_is_same(found, database->fork_entry.file) &&
           !(ahk_store_find(&wal, &found) && ahk_store_is_same(found, database->wal));
}

/* ---- running ------------------------------------------------------------------------------------ */

bool ahk_database_compile(ahk_database *database, ahk_slice *sql, sqlite3_stmt **compiled, ahk_store_fault *fault)
{
    const char *rest = NULL;
    *compiled = NULL;
    if (sql->length > AHK_SQL_MAX) {
        return ahk_store_fail(fault, "SQLITE_TOOBIG", "the SQL is longer than 1 MiB");
    }
    if (ahk_slice_has(*sql, '\0')) {
        return ahk_store_fail(fault, "SQLITE_MISUSE", "the SQL holds a NUL byte: what is data goes into parameters");
    }
    const int code =
        sqlite3_prepare_v2(database->connection, (const char *)sql->data, (int)sql->length, compiled, &rest);
    if (code != SQLITE_OK) {
        return ahk_database_fail(database, code, fault);
    }
    *sql = ahk_slice_from(*sql, (size_t)((const unsigned char *)rest - sql->data));
    return true;
}

bool ahk_database_may_run(ahk_database *database, sqlite3_stmt *compiled, ahk_store_fault *fault)
{
    return database->writer.is_held || sqlite3_stmt_readonly(compiled) ||
           ahk_store_fail(fault, "LOCK_MISSING",
                          AHK_PATH_FORMAT ": this statement writes, and the handle does not hold the lock: take it "
                                          "around the whole transaction",
                          AHK_PATH(database->path.text));
}

static bool run_to_end(ahk_database *database, sqlite3_stmt *compiled, ahk_store_fault *fault)
{
    int code;
    if (!ahk_database_may_run(database, compiled, fault)) {
        return false;
    }
    while ((code = sqlite3_step(compiled)) == SQLITE_ROW) {
        continue;
    }
    return code == SQLITE_DONE || ahk_database_fail(database, code, fault);
}

bool ahk_database_execute(ahk_database *database, ahk_slice sql, ahk_store_fault *fault)
{
    bool done = ahk_database_is_ours(database, fault);
    while (done && sql.length > 0) {
        sqlite3_stmt *compiled = NULL;
        done = ahk_database_compile(database, &sql, &compiled, fault) &&
               (compiled == NULL || run_to_end(database, compiled, fault));
        (void)sqlite3_finalize(compiled);
    }
    return done;
}

/* ---- the locks ---------------------------------------------------------------------------------- */

/* Undoes a transaction that is open; false where that fails, and it stays open. */
static bool roll_back(ahk_database *database)
{
    if (!sqlite3_get_autocommit(database->connection)) {
        (void)sqlite3_step(database->rollback);
        (void)sqlite3_reset(database->rollback);
    }
    return sqlite3_get_autocommit(database->connection) != 0;
}

bool ahk_database_lock(ahk_database *database, ahk_store_fault *fault)
{
    if (!ahk_database_is_ours(database, fault)) {
        return false;
    }
    if (database->writer.is_held) {
        return ahk_store_fail(fault, "LOCK_HELD", AHK_PATH_FORMAT ": this handle holds the lock already: unlock first",
                              AHK_PATH(database->path.text));
    }
    if (!roll_back(database)) {
        return ahk_store_fail_sqlite(fault, database->path.text, NULL, SQLITE_NOMEM);
    }
    if (!ahk_lock_wait(&database->writer, &database->path, database->options.lock_ms, fault)) {
        return false;
    }
    if (has_moved(database)) {
        ahk_lock_release(&database->writer);
        return ahk_store_fail_sqlite(fault, database->path.text, NULL, SQLITE_READONLY_DBMOVED);
    }
    return true;
}

bool ahk_database_unlock(ahk_database *database, ahk_store_fault *fault)
{
    if (!ahk_database_is_ours(database, fault)) {
        return false;
    }
    if (!database->writer.is_held) {
        return ahk_store_fail(fault, "LOCK_MISSING", AHK_PATH_FORMAT ": this handle does not hold the lock",
                              AHK_PATH(database->path.text));
    }
    const bool is_open = !sqlite3_get_autocommit(database->connection);
    (void)roll_back(database); /* where that fails, the next lock tries again */
    ahk_lock_release(&database->writer);
    return !is_open || ahk_store_fail(fault, "ROLLED_BACK",
                                      AHK_PATH_FORMAT ": a transaction was still open, and is undone: commit before "
                                                      "unlocking",
                                      AHK_PATH(database->path.text));
}

ahk_claim ahk_database_claim(ahk_database *database, ahk_store_fault *fault)
{
    if (!ahk_database_is_ours(database, fault)) {
        return AHK_CLAIM_FAILED;
    }
    switch (ahk_lock_try(&database->deliverer, &database->path, fault)) {
    case AHK_LOCK_HELD:
        return AHK_CLAIMED;
    case AHK_LOCK_BUSY:
        return AHK_CLAIMED_BY_OTHERS;
    default:
        return AHK_CLAIM_FAILED;
    }
}

bool ahk_database_release(ahk_database *database, ahk_store_fault *fault)
{
    if (!ahk_database_is_ours(database, fault)) {
        return false;
    }
    ahk_lock_release(&database->deliverer);
    return true;
}
