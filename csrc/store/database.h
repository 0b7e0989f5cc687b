/* A SQLite database of ours: WAL, every commit on the disk when it returns, one writer at a time by a lock beside the
 * file. Knows no Lua.
 *
 * A handle is for one thread at a time (SQLITE_OPEN_NOMUTEX: its owner is a Lua state, which no two threads run at
 * once; a mutex in each call would guard against nobody). Any number of handles may be open, in any threads and
 * processes: each has locks of its own, which exclude the others of its own process too.
 *
 * A child of a fork must not use a handle that it inherited: each call there fails, code "FORKED". Closing it there
 * leaves file, locks and connection alone; its memory stays with the child. See csrc/store/forks.h.
 *
 * Beside the file lie FILE-lock and FILE-deliver, which are empty and stay, FILE-ballast, and SQLite's FILE-wal and
 * FILE-shm. All have the rights of the file, which is made for its owner alone. */
#ifndef AHK_STORE_DATABASE_H
#define AHK_STORE_DATABASE_H

#include <stdint.h>

#include "../base/slice.h"
#include "fault.h"

enum { AHK_LOCK_MS_MAX = 600000 };
#define AHK_SQL_MAX ((size_t)1024 * 1024)
#define AHK_BALLAST_MAX ((int64_t)1024 * 1024 * 1024)

typedef struct ahk_database ahk_database;

/* How a database is opened. `lock_ms`: for how long it waits for the lock, here and in ahk_database_lock, and as long
 * for a program that does not heed it. `application_id`: what holds something has to bear this number (SQLite's PRAGMA
 * of that name), or is another program's and is left as it was, code "FOREIGN"; 0 for any. */
typedef struct {
    int lock_ms;
    int application_id;
} ahk_database_options;

/* Whether the SQLite that is loaded can do what is needed here. */
AHK_MUST_USE bool ahk_database_is_supported(ahk_store_fault *fault);

/* Opens the file, which is made where there is none; NULL and a fault for what is no database, or is damaged as far as
 * its first page tells: that file is left as it was. */
AHK_MUST_USE ahk_database *ahk_database_open(const char *path, ahk_database_options options, ahk_store_fault *fault);

/* Ends its statements, undoes a transaction that is open, carries the WAL into the file where nobody holds the lock and
 * nothing was found damaged, and frees its locks. It never waits. NULL is fine. */
void ahk_database_close(ahk_database *database);

/* Whether another file is where it was: this handle is of no more use, and a new one of that. Not before its WAL is
 * gone from there, too: it would become a part of the other. */
bool ahk_database_is_replaced(const ahk_database *database);

/* Runs statements one after the other, up to the first that fails; rows are dropped. */
AHK_MUST_USE bool ahk_database_execute(ahk_database *database, ahk_slice sql, ahk_store_fault *fault);

/* The lock that every writer holds around its whole transaction: a statement that writes fails without it, code
 * "LOCK_MISSING". Checkpoints happen inside commits, and so under it. Code "LOCKED" when others had it all the time,
 * "LOCK_HELD" when this handle has it, "SQLITE_READONLY_DBMOVED" when the file is not where it was. */
AHK_MUST_USE bool ahk_database_lock(ahk_database *database, ahk_store_fault *fault);

/* Frees it. A transaction that is still open is undone first, and that is a failure, code "ROLLED_BACK". */
AHK_MUST_USE bool ahk_database_unlock(ahk_database *database, ahk_store_fault *fault);

/* The right to deliver, which one handle of all has; the kernel frees it when its process dies. Asked for again, it is
 * looked at again: somebody may have deleted its file, and another may have it now. */
typedef enum { AHK_CLAIMED, AHK_CLAIMED_BY_OTHERS, AHK_CLAIM_FAILED } ahk_claim;
AHK_MUST_USE ahk_claim ahk_database_claim(ahk_database *database, ahk_store_fault *fault);
AHK_MUST_USE bool ahk_database_release(ahk_database *database, ahk_store_fault *fault);

/* Makes sure that a file of that size lies beside the database and takes room, to be given up when the disk is full. On
 * failure it is as large as it was. */
AHK_MUST_USE bool ahk_database_ballast(ahk_database *database, int64_t bytes, ahk_store_fault *fault);

/* Removes it; *freed says whether there was one. */
AHK_MUST_USE bool ahk_database_drop_ballast(ahk_database *database, bool *freed, ahk_store_fault *fault);

/* Reads all pages, and tells the first thing that is wrong. */
AHK_MUST_USE bool ahk_database_check(ahk_database *database, ahk_store_fault *fault);

/* Whether a handle of this process has done so, found nothing, and is still open. */
bool ahk_database_is_checked(const ahk_database *database);

#endif
