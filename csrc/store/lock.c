#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/file_lock.h"

/* Who waits asks again after this long, however long ago it began. */
static const double POLL_MIN_MS = 0.1;
static const double POLL_SPREAD_MS = 0.6;

/* Who has waited for this long closes the gate to all others. Until then those that come may go first: a lock that goes
 * from hand to hand at each commit is idle for most of the time. */
static const double PATIENCE_MS = 10;

/* After this long the gate is passed by: who closed it may be frozen. */
static const double GATE_MS = 1000;

/* ---- the file ----------------------------------------------------------------------------------- */

typedef enum { SAME, ANOTHER, UNKNOWN } identity;

/* Whether the open file is the one by that name: somebody may have deleted it, and then others lock another. Where the
 * system does not say, `errno` has why: it is no reason to let go of what is held, or to wait for others. */
static identity identify(const ahk_lock *lock, const ahk_store_path *name)
{
    struct stat open_one;
    struct stat named;
    if (lock->fd < 0) {
        return ANOTHER;
    }
    if (fstat(lock->fd, &open_one) != 0) {
        return UNKNOWN;
    }
    if (stat(name->text, &named) != 0) {
        return errno == ENOENT ? ANOTHER : UNKNOWN;
    }
    return open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino ? SAME : ANOTHER;
}

/* Opens the file by that name, unless it is. Where that fails, as its directory is away, what is held stays held. */
static bool attach(ahk_lock *lock, const ahk_store_path *path, ahk_store_fault *fault)
{
    const ahk_store_path name = ahk_store_beside(path, lock->suffix);
    const identity found = identify(lock, &name);
    if (found != ANOTHER) {
        return found == SAME || ahk_store_fail_errno(fault, name.text, errno);
    }
    const int fd = ahk_store_open_beside(path, lock->suffix, fault);
    if (fd < 0) {
        return false;
    }
    ahk_lock_close(lock);
    lock->fd = fd;
    return true;
}

/* ---- the gate ----------------------------------------------------------------------------------- */

/* A lock on the first byte of the same file: no flock, and none that other handles of this process share. */
#ifdef F_OFD_SETLK
static bool set_gate(int fd, short type)
{
    struct flock gate = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &gate) == 0 || (errno != EAGAIN && errno != EACCES);
}

static bool close_gate(const ahk_lock *lock)
{
    return set_gate(lock->fd, F_WRLCK);
}

static void open_gate(const ahk_lock *lock)
{
    if (lock->fd >= 0) {
        (void)set_gate(lock->fd, F_UNLCK);
    }
}
#else
static bool close_gate(const ahk_lock *lock)
{
    (void)lock;
    return true;
}

static void open_gate(const ahk_lock *lock)
{
    (void)lock;
}
#endif

/* ---- the lock ----------------------------------------------------------------------------------- */

static ahk_lock_outcome take_file(ahk_lock *lock, const ahk_store_path *path, ahk_store_fault *fault)
{
    const ahk_file_lock_outcome outcome = ahk_file_lock_open(lock->fd);
    lock->is_held = outcome == AHK_FILE_LOCKED;
    if (outcome != AHK_FILE_FAILED) {
        return lock->is_held ? AHK_LOCK_HELD : AHK_LOCK_BUSY;
    }
    (void)ahk_store_fail_errno(fault, ahk_store_beside(path, lock->suffix).text, errno);
    return AHK_LOCK_FAILED;
}

/* Takes it where its file is open, and was the one by its name a moment ago. */
static ahk_lock_outcome take(ahk_lock *lock, const ahk_store_path *path, ahk_store_fault *fault)
{
    if (lock->is_held) {
        return AHK_LOCK_HELD;
    }
    const ahk_lock_outcome outcome = take_file(lock, path, fault);
    if (outcome != AHK_LOCK_HELD) {
        return outcome;
    }
    const ahk_store_path name = ahk_store_beside(path, lock->suffix);
    const identity found = identify(lock, &name);
    if (found == SAME) {
        return AHK_LOCK_HELD;
    }
    const int code = errno;
    ahk_lock_close(lock); /* it was deleted since, or that is not known */
    if (found == ANOTHER) {
        return AHK_LOCK_BUSY;
    }
    (void)ahk_store_fail_errno(fault, name.text, code);
    return AHK_LOCK_FAILED;
}

ahk_lock_outcome ahk_lock_try(ahk_lock *lock, const ahk_store_path *path, ahk_store_fault *fault)
{
    return attach(lock, path, fault) ? take(lock, path, fault) : AHK_LOCK_FAILED;
}

/* One attempt of one that waits. */
static ahk_lock_outcome attempt(ahk_lock *lock, const ahk_store_path *path, double waited_ms, ahk_store_fault *fault)
{
    if (!attach(lock, path, fault)) {
        open_gate(lock);
        return AHK_LOCK_FAILED;
    }
    if (!close_gate(lock) && waited_ms < GATE_MS) {
        return AHK_LOCK_BUSY;
    }
    const ahk_lock_outcome outcome = take(lock, path, fault);
    if (outcome != AHK_LOCK_BUSY || waited_ms < PATIENCE_MS) {
        open_gate(lock);
    }
    return outcome;
}

static double poll_ms(void)
{
    const double now_us = ahk_monotonic() * 1e6;
    const double fraction = (double)((unsigned long long)now_us % 64) / 64;
    return POLL_MIN_MS + POLL_SPREAD_MS * fraction;
}

static bool fail_locked(ahk_lock *lock, const ahk_store_path *path, int wait_ms, ahk_store_fault *fault)
{
    open_gate(lock);
    return ahk_store_fail(fault, "LOCKED",
                          AHK_PATH_FORMAT "%s: others have held this lock for %d ms; try again, and see which process "
                                          "it is (fuser)",
                          AHK_PATH(path->text), lock->suffix, wait_ms);
}

bool ahk_lock_wait(ahk_lock *lock, const ahk_store_path *path, int wait_ms, ahk_store_fault *fault)
{
    const double begin = ahk_monotonic();
    ahk_lock_outcome outcome;
    double waited_ms = 0;
    while ((outcome = attempt(lock, path, waited_ms, fault)) == AHK_LOCK_BUSY) {
        if (waited_ms >= wait_ms) {
            return fail_locked(lock, path, wait_ms, fault);
        }
        ahk_sleep_ms(poll_ms());
        waited_ms = (ahk_monotonic() - begin) * 1e3;
    }
    return outcome == AHK_LOCK_HELD;
}

void ahk_lock_release(ahk_lock *lock)
{
    if (lock->is_held) {
        (void)flock(lock->fd, LOCK_UN);
        lock->is_held = false;
    }
}

void ahk_lock_close(ahk_lock *lock)
{
    const int fd = lock->fd;
    lock->fd = -1; /* first: a fork in another thread must not find it closed */
    lock->is_held = false;
    if (fd >= 0) {
        (void)close(fd);
    }
}
