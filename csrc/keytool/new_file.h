/* Writes what must not be half there, nor take another file's place. */
#ifndef AHK_KEYTOOL_NEW_FILE_H
#define AHK_KEYTOOL_NEW_FILE_H

#include <sys/types.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

#include <stdbool.h>

#define AHK_MODE_PRIVATE 0600
#define AHK_MODE_PUBLIC 0644

/* Makes a file that is not there yet, of that mode from the first moment on (less what the umask takes), and sees it to
 * the disk. On failure there is no file, and the message starts with the path. */
AHK_MUST_USE bool ahk_new_file(const char *path, mode_t mode, ahk_slice content, ahk_error *err);

/* Writes to a descriptor of the caller's, all of it. */
AHK_MUST_USE bool ahk_write_all(int fd, ahk_slice content, ahk_error *err);

#endif
