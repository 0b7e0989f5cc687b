#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNER_ONLY = 0600 };

/* ---- names -------------------------------------------------------------------------------------- */

static bool fail_missing_directory(const char *path, const char *directory, ahk_store_fault *fault)
{
    const int code = errno;
    if (code != ENOENT) {
        return ahk_store_fail_errno(fault, path, code);
    }
    return ahk_store_fail(fault, "SQLITE_CANTOPEN",
                          AHK_PATH_FORMAT ": the directory " AHK_PATH_FORMAT " is not there: make it first",
                          AHK_PATH(path), AHK_PATH(directory));
}

/* `path` is none yet: its directory, resolved, and its name. */
static char *resolve_new(const char *path, ahk_store_fault *fault)
{
    char directory[AHK_STORE_PATH_MAX + 2] = ".";
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (slash != NULL) {
        (void)snprintf(directory, sizeof directory, "%.*s", (int)(name - path), path);
    }
    char *real = realpath(directory, NULL);
    if (real == NULL) {
        (void)fail_missing_directory(path, directory, fault);
        return NULL;
    }
    const size_t size = strlen(real) + strlen(name) + 2;
    char *joined = malloc(size);
    if (joined != NULL) {
        (void)snprintf(joined, size, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    } else {
        (void)ahk_store_fail_sqlite(fault, path, NULL, SQLITE_NOMEM);
    }
    free(real);
    return joined;
}

static char *resolve(const char *path, ahk_store_fault *fault)
{
    struct stat link;
    char *real = realpath(path, NULL);
    if (real != NULL) {
        return real;
    }
    if (errno != ENOENT) {
        (void)ahk_store_fail_errno(fault, path, errno);
        return NULL;
    }
    if (lstat(path, &link) == 0) {
        (void)ahk_store_fail(fault, "SQLITE_CANTOPEN", AHK_PATH_FORMAT ": a link to what is not there", AHK_PATH(path));
        return NULL;
    }
    return resolve_new(path, fault);
}

/* Names that SQLite itself would take for something else than a file. */
static const char *odd_name(const char *path)
{
    const size_t length = strlen(path);
    if (length == 0 || path[0] == ':') {
        return "this would be a database in memory, gone with its process: name a file";
    }
    if (strncmp(path, "file:", strlen("file:")) == 0) {
        return "this is a URI: give the path of a file (./file:... for one of such a name)";
    }
    if (length > AHK_STORE_PATH_MAX) {
        return "a path longer than 480 bytes: choose a shorter one";
    }
    return path[length - 1] == '/' ? "is a directory, not a file" : NULL;
}

static bool fail_odd(const char *path, const char *odd, ahk_store_fault *fault)
{
    return ahk_store_fail(fault, "SQLITE_CANTOPEN", "\"" AHK_PATH_FORMAT "\": %s", AHK_PATH(path), odd);
}

bool ahk_store_resolve(const char *path, ahk_store_path *out, ahk_store_fault *fault)
{
    AHK_REQUIRE(path != NULL && out != NULL);
    struct stat status;
    const char *odd = odd_name(path);
    if (odd != NULL) {
        return fail_odd(path, odd, fault);
    }
    char *real = resolve(path, fault);
    if (real == NULL) {
        return false;
    }
    odd = odd_name(real);
    if (odd == NULL && stat(real, &status) == 0 && !S_ISREG(status.st_mode)) {
        odd = S_ISDIR(status.st_mode) ? "is a directory, not a file" : "is no regular file";
    }
    (void)snprintf(out->text, sizeof out->text, "%s", real);
    free(real);
    return odd == NULL || fail_odd(path, odd, fault);
}

ahk_store_path ahk_store_beside(const ahk_store_path *path, const char *suffix)
{
    AHK_REQUIRE(strlen(path->text) + strlen(suffix) < sizeof path->text);
    ahk_store_path beside = *path;
    (void)strncat(beside.text, suffix, sizeof beside.text - strlen(beside.text) - 1);
    return beside;
}

/* ---- files -------------------------------------------------------------------------------------- */

bool ahk_store_find(const ahk_store_path *name, ahk_store_file *out)
{
    struct stat status;
    if (stat(name->text, &status) != 0) {
        return false;
    }
    *out = (ahk_store_file){status.st_dev, status.st_ino};
    return true;
}

bool ahk_store_is_same(ahk_store_file one, ahk_store_file other)
{
    return one.device == other.device && one.inode == other.inode;
}

static bool has_content(const ahk_store_path *path)
{
    struct stat status;
    return stat(path->text, &status) == 0 && status.st_size > 0;
}

static int make(const char *name, mode_t mode)
{
    const int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
    if (fd >= 0) {
        (void)fchmod(fd, mode); /* whatever the umask */
    }
    return fd;
}

bool ahk_store_ensure(const ahk_store_path *path, ahk_store_fault *fault)
{
    if (has_content(path)) {
        return true;
    }
    /* SQLite would delete it, and with it what was committed. */
    const ahk_store_path wal = ahk_store_beside(path, "-wal");
    if (has_content(&wal)) {
        return ahk_store_fail(fault, "SQLITE_CORRUPT",
                              AHK_PATH_FORMAT ": it is empty or gone, but the -wal beside it holds a part of it; bring "
                                              "back the two together, or move the -wal away",
                              AHK_PATH(path->text));
    }
    const int fd = make(path->text, OWNER_ONLY);
    if (fd >= 0) {
        (void)close(fd);
        return true;
    }
    return errno == EEXIST || ahk_store_fail_errno(fault, path->text, errno);
}

/* Not every file system syncs directories, and not every one may be read by who writes to it. */
static bool is_excused(int code)
{
    return code == EINVAL || code == EACCES;
}

bool ahk_store_sync_directory(const ahk_store_path *path, ahk_store_fault *fault)
{
    ahk_store_path directory = *path;
    *(strrchr(directory.text, '/') + 1) = '\0';
    const int fd = open(directory.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool done = fd >= 0 && fsync(fd) == 0;
    const int code = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return done || is_excused(code) || ahk_store_fail_errno(fault, directory.text, code);
}

/* A new one, or the one that somebody else has made in the meantime. */
static int make_beside(const ahk_store_path *path, const char *name)
{
    struct stat model;
    const bool has_model = stat(path->text, &model) == 0;
    const int fd = make(name, has_model ? model.st_mode & 0666 : OWNER_ONLY);
    if (fd < 0) {
        return errno == EEXIST ? open(name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW) : -1;
    }
    if (has_model && geteuid() == 0) {
        (void)!fchown(fd, model.st_uid, model.st_gid);
    }
    return fd;
}

int ahk_store_open_beside(const ahk_store_path *path, const char *suffix, ahk_store_fault *fault)
{
    const ahk_store_path beside = ahk_store_beside(path, suffix);
    int fd = open(beside.text, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        fd = make_beside(path, beside.text);
    }
    if (fd < 0) {
        (void)ahk_store_fail_errno(fault, beside.text, errno);
    }
    return fd;
}
