/* Room on the disk that is given up when the disk is full. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database_private.h"

#define BALLAST "-ballast"

enum { BLOCK = 512 }; /* the unit of st_blocks, whatever the file system */

static bool takes_room(int fd, int64_t bytes)
{
    struct stat status;
    return fstat(fd, &status) == 0 && status.st_size == bytes && (int64_t)status.st_blocks * BLOCK >= bytes;
}

static int grow(int fd, int64_t bytes)
{
    int code;
    while ((code = posix_fallocate(fd, 0, (off_t)bytes)) == EINTR) {
        continue;
    }
    return code;
}

/* As it was; gone where it was empty. */
static void shrink(int fd, const char *name, off_t size)
{
    if (size == 0) {
        (void)unlink(name);
    }
    (void)!ftruncate(fd, size);
}

static bool fill(int fd, const char *name, int64_t bytes, ahk_store_fault *fault)
{
    struct stat before;
    if (fstat(fd, &before) != 0) {
        return ahk_store_fail_errno(fault, name, errno);
    }
    if (before.st_size > bytes && ftruncate(fd, (off_t)bytes) != 0) {
        return ahk_store_fail_errno(fault, name, errno);
    }
    const int code = grow(fd, bytes);
    if (code != 0) {
        shrink(fd, name, before.st_size);
        return ahk_store_fail_errno(fault, name, code);
    }
    return takes_room(fd, bytes) ||
           ahk_store_fail(fault, "SQLITE_CANTOPEN",
                          AHK_PATH_FORMAT ": the file system keeps no room for it, maybe as it compresses",
                          AHK_PATH(name));
}

bool ahk_database_ballast(ahk_database *database, int64_t bytes, ahk_store_fault *fault)
{
    AHK_REQUIRE(bytes > 0 && bytes <= AHK_BALLAST_MAX);
    if (!ahk_database_is_ours(database, fault)) {
        return false;
    }
    const int fd = ahk_store_open_beside(&database->path, BALLAST, fault);
    if (fd < 0) {
        return false;
    }
    const ahk_store_path name = ahk_store_beside(&database->path, BALLAST);
    const bool done = takes_room(fd, bytes) || fill(fd, name.text, bytes, fault);
    (void)close(fd);
    return done;
}

bool ahk_database_drop_ballast(ahk_database *database, bool *freed, ahk_store_fault *fault)
{
    const ahk_store_path name = ahk_store_beside(&database->path, BALLAST);
    if (!ahk_database_is_ours(database, fault)) {
        return false;
    }
    *freed = unlink(name.text) == 0;
    return *freed || errno == ENOENT || ahk_store_fail_errno(fault, name.text, errno);
}
