/* For LD_PRELOAD: sees what a process does to a database of SQLite, at DISK_PATH, to its journal and its WAL. (The -shm
 * is no part of what has to last.)
 *
 * To the file DISK_LOG each operation is appended when it has been done: a line "NAME FILE OFFSET LENGTH", and the
 * bytes of a write. Names are create, write, truncate (OFFSET: the size), sync, unlink, and syncdir.
 *
 * Before its operation of the number DISK_DIE the process ends, as by kill -9. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const struct {
    const char *suffix;
    const char *file;
} FILES[] = {{"", "db"}, {"-journal", "journal"}, {"-wal", "wal"}};

static const char DIRECTORY[] = "directory";

/* ---- which file --------------------------------------------------------------------------------- */

/* What a path is to the database; NULL for nothing. */
static const char *file_of(const char *path)
{
    const char *database = getenv("DISK_PATH");
    const size_t length = database != NULL ? strlen(database) : 0;
    if (length == 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        if (strncmp(path, database, length) == 0 && strcmp(path + length, FILES[i].suffix) == 0) {
            return FILES[i].file;
        }
    }
    const size_t directory = (size_t)(strrchr(database, '/') - database);
    return strlen(path) == directory && strncmp(path, database, directory) == 0 ? DIRECTORY : NULL;
}

static const char *file_of_fd(int fd)
{
    char link[64];
    char path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return NULL;
    }
    path[length] = '\0';
    return file_of(path);
}

/* ---- telling, and dying ------------------------------------------------------------------------- */

static void begin(const char *file)
{
    static long operations;
    const char *last = getenv("DISK_DIE");
    if (file != NULL && last != NULL && ++operations == strtol(last, NULL, 10)) {
        (void)kill(getpid(), SIGKILL);
    }
}

static void tell(const char *name, const char *file, long long offset, const void *bytes, size_t length)
{
    static int log = -1;
    const char *path = getenv("DISK_LOG");
    if (log < 0 && path != NULL) {
        log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    char line[96];
    const int size = snprintf(line, sizeof line, "%s %s %lld %zu\n", name, file, offset, length);
    const struct iovec parts[] = {{line, (size_t)size}, {(void *)bytes, length}};
    if (log >= 0 && writev(log, parts, 2) != (ssize_t)((size_t)size + length)) {
        abort(); /* a log with a hole in it would be believed */
    }
}

static void end(const char *name, const char *file, long long offset, const void *bytes, ssize_t length)
{
    if (file != NULL && length >= 0) {
        tell(name, file, offset, bytes, (size_t)length);
    }
}

/* ---- what SQLite calls -------------------------------------------------------------------------- */

#define REAL(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    const char *file = file_of_fd(fd);
    begin(file);
    const ssize_t written = REAL(pwrite64)(fd, bytes, length, offset);
    end("write", file, offset, bytes, written);
    return written;
}

int ftruncate64(int fd, off64_t size)
{
    const char *file = file_of_fd(fd);
    begin(file);
    const int result = REAL(ftruncate64)(fd, size);
    end("truncate", file, size, NULL, result);
    return result;
}

static int synced(const char *file, int result)
{
    end(file == DIRECTORY ? "syncdir" : "sync", file, 0, NULL, result);
    return result;
}

int fsync(int fd)
{
    const char *file = file_of_fd(fd);
    begin(file);
    return synced(file, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
    const char *file = file_of_fd(fd);
    begin(file);
    return synced(file, REAL(fdatasync)(fd));
}

int unlink(const char *path)
{
    const char *file = file_of(path);
    begin(file);
    const int result = REAL(unlink)(path);
    end("unlink", file, 0, NULL, result);
    return result;
}

/* ---- what makes files --------------------------------------------------------------------------- */

/* The file that a call would make. */
static const char *new_file(const char *path, int flags)
{
    return (flags & O_CREAT) != 0 && access(path, F_OK) != 0 ? file_of(path) : NULL;
}

static int opened(const char *file, int fd)
{
    end("create", file, 0, NULL, fd >= 0 ? 0 : -1);
    return fd;
}

#define MODE(flags, last)                                                                                              \
    va_list rest;                                                                                                      \
    va_start(rest, last);                                                                                              \
    const mode_t mode = ((flags)&O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;                                             \
    va_end(rest)

int open(const char *path, int flags, ...)
{
    MODE(flags, flags);
    const char *file = new_file(path, flags);
    begin(file);
    return opened(file, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, flags);
    const char *file = new_file(path, flags);
    begin(file);
    return opened(file, REAL(open64)(path, flags, mode));
}
