#include "forks.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static ahk_node *first;

static void before_fork(void)
{
    (void)pthread_mutex_lock(&guard);
}

static void after_fork(void)
{
    (void)pthread_mutex_unlock(&guard);
}

static void after_fork_in_child(void)
{
    for (ahk_node *node = first; node != NULL; node = node->next) {
        for (int i = 0; i < AHK_FORK_LOCKS; i++) {
            ahk_lock_close(((ahk_fork_entry *)node)->locks[i]);
        }
    }
    (void)pthread_mutex_unlock(&guard);
}

static void watch_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static bool is_inherited_file(const struct stat *status)
{
    for (const ahk_node *node = first; node != NULL; node = node->next) {
        const ahk_fork_entry *entry = (const ahk_fork_entry *)node;
        if (entry->device == status->st_dev && entry->inode == status->st_ino && ahk_fork_is_inherited(entry)) {
            return true;
        }
    }
    return false;
}

bool ahk_fork_allows(const ahk_store_path *path, ahk_store_fault *fault)
{
    struct stat status;
    if (stat(path->text, &status) != 0) {
        return true;
    }
    (void)pthread_mutex_lock(&guard);
    const bool is_inherited = is_inherited_file(&status);
    (void)pthread_mutex_unlock(&guard);
    return !is_inherited ||
           ahk_store_fail(fault, "FORKED",
                          AHK_PATH_FORMAT ": the parent of this process had it open when it forked, and SQLite cannot "
                                          "open it here any more: open it after the fork, or close it before",
                          AHK_PATH(path->text));
}

bool ahk_fork_enter(ahk_fork_entry *entry, const ahk_store_path *path, ahk_store_fault *fault)
{
    AHK_REQUIRE(entry->owner == 0);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct stat status;
    if (stat(path->text, &status) != 0) {
        return ahk_store_fail_errno(fault, path->text, errno);
    }
    entry->device = status.st_dev;
    entry->inode = status.st_ino;
    entry->owner = getpid();
    (void)pthread_once(&once, watch_forks);
    (void)pthread_mutex_lock(&guard);
    ahk_list_put(&first, &entry->node);
    (void)pthread_mutex_unlock(&guard);
    return true;
}

void ahk_fork_leave(ahk_fork_entry *entry)
{
    if (entry->owner == 0) {
        return;
    }
    (void)pthread_mutex_lock(&guard);
    ahk_list_remove(&entry->node);
    (void)pthread_mutex_unlock(&guard);
    entry->owner = 0;
}

bool ahk_fork_is_inherited(const ahk_fork_entry *entry)
{
    return entry->owner != 0 && entry->owner != getpid();
}
