#include "file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static ahk_file_lock_outcome fail_errno(const char *path, ahk_error *err)
{
    (void)ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), ahk_explain_errno(errno).text);
    return AHK_FILE_FAILED;
}

ahk_file_lock_outcome ahk_file_lock_open(int fd)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EINTR) {
            return errno == EWOULDBLOCK ? AHK_FILE_BUSY : AHK_FILE_FAILED;
        }
    }
    return AHK_FILE_LOCKED;
}

static ahk_file_lock_outcome lock_open(const char *path, int fd, ahk_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return fail_errno(path, err);
    }
    if (!S_ISREG(status.st_mode)) {
        (void)ahk_fail(err, AHK_PATH_FORMAT ": it is no regular file", AHK_PATH(path));
        return AHK_FILE_FAILED;
    }
    const ahk_file_lock_outcome outcome = ahk_file_lock_open(fd);
    return outcome == AHK_FILE_FAILED ? fail_errno(path, err) : outcome;
}

ahk_file_lock_outcome ahk_file_lock(const char *path, int *fd, ahk_error *err)
{
    AHK_REQUIRE(path != NULL && fd != NULL);
    /* Nonblocking: opening a FIFO may wait. */
    const int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR);
    if (opened < 0) {
        return fail_errno(path, err);
    }
    const ahk_file_lock_outcome outcome = lock_open(path, opened, err);
    if (outcome == AHK_FILE_LOCKED) {
        *fd = opened;
    } else {
        (void)close(opened);
    }
    return outcome;
}
