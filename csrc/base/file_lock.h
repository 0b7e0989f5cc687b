/* The right to be the only one that works with a file: a flock on it, which the kernel frees when the process dies,
 * whatever of. A child of a fork shares it, and no exec hands it on. */
#ifndef AHK_FILE_LOCK_H
#define AHK_FILE_LOCK_H

#include "contract.h"
#include "error.h"

typedef enum { AHK_FILE_LOCKED, AHK_FILE_BUSY, AHK_FILE_FAILED } ahk_file_lock_outcome;

/* Does not wait: busy where another holds it. Makes the file, for its owner alone, where there is none. Where it is
 * locked, `*fd` holds it until it is closed. Anything but a regular file is refused. */
AHK_MUST_USE ahk_file_lock_outcome ahk_file_lock(const char *path, int *fd, ahk_error *err);

/* The same for a file that is open. Where it fails, `errno` has why; no signal makes it fail. */
AHK_MUST_USE ahk_file_lock_outcome ahk_file_lock_open(int fd);

#endif
