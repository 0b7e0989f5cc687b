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

/* Whether an open database is that file, and has that property. */
static bool has_file(ahk_store_file file, bool (*is_so)(const ahk_fork_entry *entry))
{
    bool found = false;
    (void)pthread_mutex_lock(&guard);
    for (const ahk_node *node = first; node != NULL && !found; node = node->next) {
        const ahk_fork_entry *entry = (const ahk_fork_entry *)node;
        found = ahk_store_is_same(entry->file, file) && is_so(entry);
    }
    (void)pthread_mutex_unlock(&guard);
    return found;
}

bool ahk_fork_allows(const ahk_store_path *path, ahk_store_fault *fault)
{
    ahk_store_file file;
    return !ahk_store_find(path, &file) || !has_file(file, ahk_fork_is_inherited) ||
           ahk_store_fail(fault, "FORKED",
                          AHK_PATH_FORMAT ": the parent of this process had it open when it forked, and SQLite cannot "
                                          "open it here any more: open it after the fork, or close it before",
                          AHK_PATH(path->text));
}

bool ahk_fork_enter(ahk_fork_entry *entry, const ahk_store_path *path, ahk_store_fault *fault)
{
    AHK_REQUIRE(entry->owner == 0);
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!ahk_store_find(path, &entry->file)) {
        return ahk_store_fail_errno(fault, path->text, errno);
    }
    entry->owner = getpid();
    (void)pthread_once(&once, watch_forks);
    (void)pthread_mutex_lock(&guard);
    ahk_list_put(&first, &entry->node);
    (void)pthread_mutex_unlock(&guard);
    return true;
}

void ahk_fork_note_sound(ahk_fork_entry *entry)
{
    (void)pthread_mutex_lock(&guard);
    entry->is_sound = true;
    (void)pthread_mutex_unlock(&guard);
}

static bool is_known_sound(const ahk_fork_entry *entry)
{
    return entry->is_sound && !ahk_fork_is_inherited(entry);
}

bool ahk_fork_is_sound(const ahk_fork_entry *entry)
{
    return has_file(entry->file, is_known_sound);
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
