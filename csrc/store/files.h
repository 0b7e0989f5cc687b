/* The names of a database and of what lies beside it. */
#ifndef AHK_STORE_FILES_H
#define AHK_STORE_FILES_H

#include <sys/types.h>

#include "fault.h"

/* SQLite's own limit for a path is 512, with what it appends. */
enum { AHK_STORE_PATH_MAX = 480, AHK_STORE_SUFFIX_MAX = 16 };

typedef struct {
    char text[AHK_STORE_PATH_MAX + AHK_STORE_SUFFIX_MAX];
} ahk_store_path;

/* The absolute path, through all links: one file has one name, and so one lock. (A hard link would be another.) False
 * for what is no file, is in memory, is a URI, or lies in a directory that is not there. */
AHK_MUST_USE bool ahk_store_resolve(const char *path, ahk_store_path *out, ahk_store_fault *fault);

/* The name of a file beside it: its own with `suffix`, such as "-lock". */
ahk_store_path ahk_store_beside(const ahk_store_path *path, const char *suffix);

/* Which file has that name: as long as it is open no other has the same. False for none. */
typedef struct {
    dev_t device;
    ino_t inode;
} ahk_store_file;
AHK_MUST_USE bool ahk_store_find(const ahk_store_path *name, ahk_store_file *out);

bool ahk_store_is_same(ahk_store_file one, ahk_store_file other);

/* Whether a database may be opened there, which is made where there is none: empty, for its owner alone. Under the
 * lock. It is never opened by itself once it holds something: closing it would drop the locks that SQLite has on it. */
AHK_MUST_USE bool ahk_store_ensure(const ahk_store_path *path, ahk_store_fault *fault);

/* Opens a file beside the database, which is made where there is none, with the rights and (for root) the owner of the
 * database. A descriptor, close-on-exec; or -1. */
AHK_MUST_USE int ahk_store_open_beside(const ahk_store_path *path, const char *suffix, ahk_store_fault *fault);

/* Sees to it that the names of the files beside it, and its own, are on the disk: what is synced in a file without a
 * name is lost with the power. */
AHK_MUST_USE bool ahk_store_sync_directory(const ahk_store_path *path, ahk_store_fault *fault);

#endif
