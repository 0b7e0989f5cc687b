#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool ahk_write_all(int fd, ahk_slice content, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(content));
    while (content.length > 0) {
        const ssize_t n = write(fd, content.data, content.length);
        if (n < 0 && errno != EINTR) {
            return ahk_fail(err, "%s", ahk_explain_errno(errno).text);
        }
        content = ahk_slice_from(content, n > 0 ? (size_t)n : 0);
    }
    return true;
}

static bool fail_to_open(const char *path, int code, ahk_error *err)
{
    return ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path),
                    code == EEXIST ? "is there already, and is not written over: take another name"
                                   : ahk_explain_errno(code).text);
}

/* Closes it in either case. */
static bool fill(int fd, ahk_slice content, ahk_error *err)
{
    bool done = ahk_write_all(fd, content, err);
    if (done && fsync(fd) != 0) {
        done = ahk_fail(err, "%s", ahk_explain_errno(errno).text);
    }
    /* Some file systems tell only now that there was no room. */
    if (close(fd) != 0 && done) {
        done = ahk_fail(err, "%s", ahk_explain_errno(errno).text);
    }
    return done;
}

bool ahk_new_file(const char *path, mode_t mode, ahk_slice content, ahk_error *err)
{
    AHK_REQUIRE(path != NULL);
    ahk_error detail = AHK_ERROR_INIT;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail_to_open(path, errno, err);
    }
    if (!fill(fd, content, &detail)) {
        (void)unlink(path);
        return ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), detail.text);
    }
    return true;
}
