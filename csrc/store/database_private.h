/* What the files of csrc/store know of a database and of each other. */
#ifndef AHK_STORE_DATABASE_PRIVATE_H
#define AHK_STORE_DATABASE_PRIVATE_H

#include "../base/list.h"
#include "database.h"
#include "files.h"
#include "forks.h"
#include "lock.h"
#include "statement.h"

struct ahk_database {
    sqlite3 *connection;
    sqlite3_stmt *rollback; /* compiled beforehand: memory may be short when it is needed */
    ahk_store_path path;
    ahk_lock writer;
    ahk_lock deliverer;
    ahk_fork_entry fork_entry;
    ahk_store_file wal;
    ahk_node *statements; /* of which none outlives the connection */
    ahk_database_options options;
    bool must_not_checkpoint; /* damaged, or not where it was */
};

struct ahk_statement {
    ahk_node node;          /* among those of the database */
    ahk_database *database; /* NULL once it is closed */
    sqlite3_stmt *compiled;
    int64_t changes;
};

/* Sets up a connection to a file that is there, and looks at what it holds. */
AHK_MUST_USE bool ahk_database_connect(ahk_database *database, ahk_store_fault *fault);

/* Says what SQLite refused, and remembers damage. Returns false. */
bool ahk_database_fail(ahk_database *database, int code, ahk_store_fault *fault);

/* Whether this process may use it. */
AHK_MUST_USE bool ahk_database_is_ours(const ahk_database *database, ahk_store_fault *fault);

/* Compiles the first statement of `sql`, and leaves in *sql what follows it. *compiled is NULL for a blank. */
AHK_MUST_USE bool ahk_database_compile(ahk_database *database, ahk_slice *sql, sqlite3_stmt **compiled,
                                       ahk_store_fault *fault);

/* Whether it may run: what writes needs the lock. */
AHK_MUST_USE bool ahk_database_may_run(ahk_database *database, sqlite3_stmt *compiled, ahk_store_fault *fault);

/* Finalizes the statements and lets go of them; their memory stays their owners'. */
void ahk_database_end_statements(ahk_database *database);

#endif
