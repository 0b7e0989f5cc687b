/* A lock between processes, threads and handles: a flock on a file beside the database. The kernel frees it when its
 * process dies, whatever of. It belongs to the open file: a child that inherits it through a fork would keep it, so
 * csrc/store/forks.c closes it there, and no exec hands it on. */
#ifndef AHK_STORE_LOCK_H
#define AHK_STORE_LOCK_H

#include "files.h"

typedef struct {
    const char *suffix;
    int fd; /* -1: not open */
    bool is_held;
} ahk_lock;

/* `suffix` must stay. */
#define AHK_LOCK_INIT(suffix)                                                                                          \
    {                                                                                                                  \
        suffix, -1, false                                                                                              \
    }

typedef enum { AHK_LOCK_HELD, AHK_LOCK_BUSY, AHK_LOCK_FAILED } ahk_lock_outcome;

/* Does not wait. Where it is held already, looks whether its file is still the one by that name, and otherwise takes
 * that one. */
AHK_MUST_USE ahk_lock_outcome ahk_lock_try(ahk_lock *lock, const ahk_store_path *path, ahk_store_fault *fault);

/* Waits, at most so long; code "LOCKED" after that. Who has waited for some milliseconds goes before all that come. */
AHK_MUST_USE bool ahk_lock_wait(ahk_lock *lock, const ahk_store_path *path, int wait_ms, ahk_store_fault *fault);

/* Frees it, and keeps its file open. */
void ahk_lock_release(ahk_lock *lock);

/* Closes its file. In a child that frees nothing. */
void ahk_lock_close(ahk_lock *lock);

#endif
