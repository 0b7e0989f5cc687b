/* The system's calls that may fail, as our objects and the libraries below them find them: the dynamic linker takes
 * what an executable defines before what the C library does. So nothing has to be loaded before it, which the
 * sanitizers would not have, and these calls count with the allocations. What the C library calls inside itself is not
 * seen. */
/* It would make one name of two. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

/* Another way to fail, for what carries bytes: only one of them. */
enum { SHORT = -1 };

#define SHOWN __attribute__((visibility("default")))
#define LENGTH(codes) ((int)(sizeof(codes) / sizeof *(codes)))

/* The next one's, which may be a sanitizer's. */
static void *find(void **known, const char *name)
{
    if (*known == NULL) {
        *known = dlsym(RTLD_NEXT, name);
    }
    return *known;
}

/* What the rest of the process's calls are; and ours, unless they are to fail. */
#define BEGIN(type, name, params, ...)                                                                                 \
    static void *known;                                                                                                \
    type(*const real) params = (type(*) params)find(&known, #name);                                                    \
    static const int codes[] = {__VA_ARGS__};                                                                          \
    const int code = faults_of_call(#name, codes, LENGTH(codes))

#define CALL(type, failed, name, params, args, ...)                                                                    \
    SHOWN type name params                                                                                             \
    {                                                                                                                  \
        BEGIN(type, name, params, __VA_ARGS__);                                                                        \
        if (code != 0) {                                                                                               \
            errno = code;                                                                                              \
            return failed;                                                                                             \
        }                                                                                                              \
        return real args;                                                                                              \
    }

/* With a `size` among its parameters. */
#define TRANSFER(name, params, args, ...)                                                                              \
    SHOWN ssize_t name params                                                                                          \
    {                                                                                                                  \
        BEGIN(ssize_t, name, params, __VA_ARGS__);                                                                     \
        if (code > 0) {                                                                                                \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
        size = code == SHORT && size > 0 ? 1 : size;                                                                   \
        return real args;                                                                                              \
    }

/* Gives its code. */
#define CODE(name, params, args, ...)                                                                                  \
    SHOWN int name params                                                                                              \
    {                                                                                                                  \
        BEGIN(int, name, params, __VA_ARGS__);                                                                         \
        return code != 0 ? code : real args;                                                                           \
    }

/* ---- bytes ---------------------------------------------------------------------------------------- */

TRANSFER(read, (int fd, void *to, size_t size), (fd, to, size), EIO, EINTR, SHORT)
TRANSFER(write, (int fd, const void *from, size_t size), (fd, from, size), EIO, ENOSPC, EINTR, SHORT)
TRANSFER(pread64, (int fd, void *to, size_t size, off64_t at), (fd, to, size, at), EIO, EINTR, SHORT)
TRANSFER(pwrite64, (int fd, const void *from, size_t size, off64_t at), (fd, from, size, at), ENOSPC, EIO, EINTR, SHORT)
TRANSFER(recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags), ECONNRESET, EAGAIN, EINTR, SHORT)
TRANSFER(send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags), ECONNRESET, EPIPE, EAGAIN,
         EINTR, SHORT)

/* ---- files ---------------------------------------------------------------------------------------- */

/* The mode is there where a file may be made. */
#define OPEN(name)                                                                                                     \
    SHOWN int name(const char *path, int flags, ...)                                                                   \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, flags);                                                                                         \
        const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;                           \
        va_end(more);                                                                                                  \
        BEGIN(int, name, (const char *, int, ...), EMFILE, EACCES, ENOSPC, EINTR);                                     \
        if (code != 0) {                                                                                               \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
        return real(path, flags, mode);                                                                                \
    }
OPEN(open)
OPEN(open64)

/* The descriptor is gone all the same. */
SHOWN int close(int fd)
{
    BEGIN(int, close, (int), EIO, EINTR);
    const int done = real(fd);
    if (code != 0) {
        errno = code;
        return -1;
    }
    return done;
}

static bool is_directory(int fd)
{
    static void *known;
    int (*const real)(int, struct stat64 *) = (int (*)(int, struct stat64 *))find(&known, "fstat64");
    struct stat64 status;
    return real(fd, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A directory has another name: SQLite does not look what comes of that, so we do it before (csrc/store/connect.c). */
#define SYNC(name)                                                                                                     \
    SHOWN int name(int fd)                                                                                             \
    {                                                                                                                  \
        static void *known;                                                                                            \
        int (*const real)(int) = (int (*)(int))find(&known, #name);                                                    \
        static const int codes[] = {EIO, ENOSPC};                                                                      \
        const char *shown = is_directory(fd) ? #name " of a directory" : #name;                                        \
        const int code = faults_of_call(shown, codes, LENGTH(codes));                                                  \
        if (code != 0) {                                                                                               \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
        return real(fd);                                                                                               \
    }
SYNC(fsync)
SYNC(fdatasync)

CALL(int, -1, ftruncate64, (int fd, off64_t size), (fd, size), EIO, EINTR)
CALL(int, -1, fstat64, (int fd, struct stat64 *status), (fd, status), EIO)
CALL(int, -1, stat64, (const char *path, struct stat64 *status), (path, status), EACCES, ENOMEM)
CALL(int, -1, lstat64, (const char *path, struct stat64 *status), (path, status), EACCES, ENOMEM)
CALL(int, -1, fstat, (int fd, struct stat *status), (fd, status), EIO)
CALL(int, -1, stat, (const char *path, struct stat *status), (path, status), EACCES, ENOMEM)
CALL(int, -1, fchmod, (int fd, mode_t mode), (fd, mode), EPERM)
CALL(int, -1, fchown, (int fd, uid_t user, gid_t group), (fd, user, group), EPERM)
CALL(int, -1, unlink, (const char *path), (path), EACCES, EIO)
CALL(ssize_t, -1, readlink, (const char *path, char *to, size_t size), (path, to, size), EACCES)
CALL(char *, NULL, realpath, (const char *path, char *to), (path, to), EACCES, ENOMEM)
CALL(void *, MAP_FAILED, mmap64, (void *to, size_t size, int access, int flags, int fd, off64_t at),
     (to, size, access, flags, fd, at), ENOMEM)
CALL(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode), EMFILE, ENOMEM)
CODE(posix_fallocate64, (int fd, off64_t at, off64_t size), (fd, at, size), ENOSPC, EINTR)

/* A lock may be refused. Giving one back, and what is said of an open descriptor, is not. */
static bool may_fail(int what, const void *argument)
{
    const bool is_lock = what == F_SETLK || what == F_SETLKW || what == F_OFD_SETLK || what == F_OFD_SETLKW;
    return is_lock && ((const struct flock *)argument)->l_type != F_UNLCK;
}

/* The third argument is a number or an address. */
#define CONTROL(name)                                                                                                  \
    SHOWN int name(int fd, int what, ...)                                                                              \
    {                                                                                                                  \
        va_list more;                                                                                                  \
        va_start(more, what);                                                                                          \
        void *argument = va_arg(more, void *);                                                                         \
        va_end(more);                                                                                                  \
        static void *known;                                                                                            \
        int (*const real)(int, int, ...) = (int (*)(int, int, ...))find(&known, #name);                                \
        static const int codes[] = {ENOLCK, EAGAIN, EINTR};                                                            \
        const int code = may_fail(what, argument) ? faults_of_call(#name, codes, LENGTH(codes)) : 0;                   \
        if (code != 0) {                                                                                               \
            errno = code;                                                                                              \
            return -1;                                                                                                 \
        }                                                                                                              \
        return real(fd, what, argument);                                                                               \
    }
CONTROL(fcntl)
CONTROL(fcntl64)

SHOWN int flock(int fd, int what)
{
    static void *known;
    int (*const real)(int, int) = (int (*)(int, int))find(&known, "flock");
    static const int codes[] = {ENOLCK, EINTR};
    const int code = what == LOCK_UN ? 0 : faults_of_call("flock", codes, LENGTH(codes));
    if (code != 0) {
        errno = code;
        return -1;
    }
    return real(fd, what);
}

/* ---- sockets -------------------------------------------------------------------------------------- */

CALL(int, -1, socket, (int family, int type, int protocol), (family, type, protocol), EMFILE, ENOBUFS)
CALL(int, -1, socketpair, (int family, int type, int protocol, int fds[2]), (family, type, protocol, fds), EMFILE)
CALL(int, -1, pipe, (int fds[2]), (fds), EMFILE)
CALL(int, -1, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size), ECONNREFUSED, ENETUNREACH,
     EADDRNOTAVAIL)
CALL(int, -1, getsockopt, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size),
     ENOBUFS)
CALL(int, -1, setsockopt, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size), ENOBUFS)
CALL(int, -1, getsockname, (int fd, struct sockaddr *name, socklen_t *size), (fd, name, size), ENOBUFS)
CALL(int, -1, getpeername, (int fd, struct sockaddr *name, socklen_t *size), (fd, name, size), ENOTCONN)
CALL(int, -1, poll, (struct pollfd * fds, nfds_t count, int wait_ms), (fds, count, wait_ms), ENOMEM, EINTR)
CODE(getaddrinfo, (const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found),
     (name, service, hints, found), EAI_MEMORY, EAI_AGAIN)

SHOWN int ioctl(int fd, unsigned long what, ...)
{
    va_list more;
    va_start(more, what);
    void *argument = va_arg(more, void *);
    va_end(more);
    BEGIN(int, ioctl, (int, unsigned long, ...), ENOTTY);
    if (code != 0) {
        errno = code;
        return -1;
    }
    return real(fd, what, argument);
}

/* ---- threads, locales, time -------------------------------------------------------------------- */

CODE(pthread_create, (pthread_t * thread, const pthread_attr_t *attributes, void *(*f)(void *), void *argument),
     (thread, attributes, f, argument), EAGAIN)
CALL(locale_t, (locale_t)0, newlocale, (int categories, const char *name, locale_t base), (categories, name, base),
     ENOMEM)

/* By a signal, with all of the time left. */
SHOWN int nanosleep(const struct timespec *time, struct timespec *left)
{
    BEGIN(int, nanosleep, (const struct timespec *, struct timespec *), EINTR);
    if (code == 0) {
        return real(time, left);
    }
    if (left != NULL) {
        *left = *time;
    }
    errno = code;
    return -1;
}

/* SQLite's, for ten seconds in all where its locks are refused: nobody else has them here. */
SHOWN int usleep(useconds_t time)
{
    const struct timespec shorter = {.tv_nsec = time < 100 ? (long)time * 1000 : 100000};
    return nanosleep(&shorter, NULL);
}

/* ---- modules ------------------------------------------------------------------------------------- */

/* All stay: of what is no more there a sanitizer could not say, in the end, whose function it was that leaks. */
SHOWN int dlclose(void *module)
{
    (void)module;
    return 0;
}
