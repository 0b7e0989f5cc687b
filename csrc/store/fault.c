#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NETWORK "is it on a network file system? Those cannot carry WAL: put it on a local disk"

enum { WORDS_MAX = 300 };

/* What there is to do. A row for a primary code stands for its extended ones too, unless they have their own. */
typedef struct {
    int code;
    const char *cure;
} advice;

static const advice CURES[] = {
    {SQLITE_FULL, "the disk is full: make room, then try again"},
    {SQLITE_READONLY_DBMOVED, "it was moved or removed while it was open: bring it back, then open it again"},
    {SQLITE_READONLY, "give this user the right to write to the file and to its directory"},
    {SQLITE_PERM, "give this user the right to write to the file and to its directory"},
    {SQLITE_CANTOPEN, "see that its directory is there, and that this user may write to the file and to the directory"},
    {SQLITE_NOTADB, "it is left as it was: name another file, or move it away"},
    {SQLITE_CORRUPT, "it is damaged, and left as it was: restore a copy, or save what can be read with the sqlite3 "
                     "command's .recover"},
    {SQLITE_BUSY, "a program that does not heed the lock beside the file holds it, such as the sqlite3 command: end "
                  "it, then try again"},
    {SQLITE_IOERR_SHMOPEN, NETWORK},
    {SQLITE_IOERR_SHMSIZE, NETWORK},
    {SQLITE_IOERR_SHMLOCK, NETWORK},
    {SQLITE_IOERR_SHMMAP, NETWORK},
    {SQLITE_IOERR_LOCK, NETWORK},
    {SQLITE_IOERR_RDLOCK, NETWORK},
    {SQLITE_PROTOCOL, NETWORK},
    {SQLITE_NOLFS, NETWORK},
    {SQLITE_IOERR_WRITE,
     "is a quota or a limit for files (ulimit -f) reached? If not, see what the system's log says of "
     "the disk"},
    {SQLITE_IOERR, "see what the system's log says of the disk"},
};

static const char *find_cure(int code)
{
    for (size_t i = 0; i < sizeof CURES / sizeof *CURES; i++) {
        if (CURES[i].code == code) {
            return CURES[i].cure;
        }
    }
    return NULL;
}

static const char *cure_of(int code)
{
    const char *cure = find_cure(code);
    return cure != NULL ? cure : find_cure(code & AHK_STORE_PRIMARY);
}

/* Over the text, whichever it was. */
static bool put(ahk_store_fault *fault, int code, const char *path, const char *words, const char *system)
{
    const char *cure = cure_of(code);
    fault->code = ahk_store_code_name(code);
    return ahk_fail(&fault->message, AHK_PATH_FORMAT ": %.*s%s%s%s%s", AHK_PATH(path), ahk_shown(words, WORDS_MAX),
                    words, system[0] != '\0' ? ": " : "", system, cure != NULL ? "; " : "", cure != NULL ? cure : "");
}

bool ahk_store_fail(ahk_store_fault *fault, const char *code, const char *format, ...)
{
    AHK_REQUIRE(fault != NULL && code != NULL && format != NULL);
    char text[sizeof fault->message.text + 4]; /* ahk_fail sees where to cut */
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fault->code = code;
    return ahk_fail(&fault->message, "%s", length < 0 ? "no reason given" : text);
}

static int code_of_errno(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return SQLITE_FULL;
    case EACCES:
    case EPERM:
        return SQLITE_PERM;
    case EROFS:
        return SQLITE_READONLY;
    case EIO:
        return SQLITE_IOERR;
    case ENOMEM:
        return SQLITE_NOMEM;
    default:
        return SQLITE_CANTOPEN;
    }
}

bool ahk_store_fail_errno(ahk_store_fault *fault, const char *path, int code)
{
    if (ahk_errno_is_of_descriptors(code)) {
        return ahk_store_fail(fault, "DESCRIPTORS", AHK_PATH_FORMAT ": " AHK_NO_DESCRIPTORS, AHK_PATH(path));
    }
    return put(fault, code_of_errno(code), path, ahk_explain_errno(code).text, "");
}

/* What the system said below SQLite, which keeps it where a file could not be opened; else 0. */
static int errno_below(sqlite3 *connection, int code)
{
    return connection != NULL && (code & AHK_STORE_PRIMARY) == SQLITE_CANTOPEN ? sqlite3_system_errno(connection) : 0;
}

bool ahk_store_fail_sqlite(ahk_store_fault *fault, const char *path, sqlite3 *connection, int code)
{
    if (code == SQLITE_IOERR_NOMEM) {
        code = SQLITE_NOMEM; /* no fault of the disk's */
    }
    const int system = errno_below(connection, code);
    if (ahk_errno_is_of_descriptors(system)) {
        return ahk_store_fail_errno(fault, path, system); /* its directory is not to blame */
    }
    const bool has_words = connection != NULL && sqlite3_extended_errcode(connection) == code;
    return put(fault, code, path, has_words ? sqlite3_errmsg(connection) : sqlite3_errstr(code),
               system != 0 ? ahk_explain_errno(system).text : "");
}
