/* What a fork does to open databases. SQLite's bookkeeping of a file's locks is copied into the child, the locks
 * themselves are not: there a connection must be neither used nor closed, and the same file must not be opened again
 * while it stands in those books. Our own locks, on the other hand, would be kept by the child. So the child's copies
 * of those are closed at once (a fork that goes past pthread_atfork leaves them to whoever closes the handle there). */
#ifndef AHK_STORE_FORKS_H
#define AHK_STORE_FORKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/list.h"
#include "lock.h"

enum { AHK_FORK_LOCKS = 2 };

/* Part of an open database, and zeroed before it is. */
typedef struct {
    ahk_node node; /* among all of this process; changes in any thread */
    ahk_lock *locks[AHK_FORK_LOCKS];
    ahk_store_file file;
    pid_t owner;   /* 0 where it is not entered */
    bool is_sound; /* it was read through, and nothing was wrong */
} ahk_fork_entry;

/* False, with a message, for a file that this process has inherited open. */
AHK_MUST_USE bool ahk_fork_allows(const ahk_store_path *path, ahk_store_fault *fault);

/* Notes what this process opens, which has to be there. */
AHK_MUST_USE bool ahk_fork_enter(ahk_fork_entry *entry, const ahk_store_path *path, ahk_store_fault *fault);

/* Notes that nothing is wrong with its file. */
void ahk_fork_note_sound(ahk_fork_entry *entry);

/* Whether that was noted of its file by this process, which still has it open there. */
bool ahk_fork_is_sound(const ahk_fork_entry *entry);

/* Forgets it; one that was never entered is fine. */
void ahk_fork_leave(ahk_fork_entry *entry);

/* Whether it was entered by the process that this one is a fork of. */
bool ahk_fork_is_inherited(const ahk_fork_entry *entry);

#endif
