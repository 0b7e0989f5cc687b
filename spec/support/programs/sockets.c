/* sockets CASE: what csrc/http asks of sockets and signals, without libcurl. It ends with 0 where that holds. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../../csrc/http/descriptors.h"
#include "../../../csrc/http/sigpipe.h"

static int ends[2]; /* of a connection: ours, the other side's */

/* The system sets errno only where it fails: what is left from before says nothing. */
static bool is_quiet(bool may_have_bytes)
{
    errno = EAGAIN;
    return ahk_socket_is_quiet(ends[0], may_have_bytes);
}

static bool open_and_silent(void)
{
    return is_quiet(false) && is_quiet(true);
}

static bool spoken_on(void)
{
    char byte = 0;
    const bool wrote = write(ends[1], "x", 1) == 1;
    const bool told = !is_quiet(false) && is_quiet(true);
    return wrote && told && read(ends[0], &byte, 1) == 1 && byte == 'x'; /* to look takes nothing */
}

static bool ended(void)
{
    return close(ends[1]) == 0 && !is_quiet(false) && !is_quiet(true);
}

static bool no_socket(void)
{
    return close(ends[0]) == 0 && pipe(ends) == 0 && !is_quiet(false) && !is_quiet(true);
}

static bool is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static bool is_blocked(void)
{
    sigset_t mask;
    return pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGPIPE) == 1;
}

static bool write_to_nobody(void)
{
    int fds[2];
    return pipe(fds) == 0 && close(fds[0]) == 0 && write(fds[1], "x", 1) < 0 && errno == EPIPE && close(fds[1]) == 0;
}

static bool write_guarded(void)
{
    ahk_sigpipe_guard guard;
    ahk_sigpipe_block(&guard);
    const bool wrote = write_to_nobody();
    ahk_sigpipe_restore(&guard);
    return wrote;
}

static bool signal_of_ours(void)
{
    return write_guarded() && !is_blocked() && !is_pending();
}

static bool block(void)
{
    sigset_t set;
    return sigemptyset(&set) == 0 && sigaddset(&set, SIGPIPE) == 0 && pthread_sigmask(SIG_BLOCK, &set, NULL) == 0;
}

static bool signal_of_ours_where_it_is_blocked(void)
{
    return block() && write_guarded() && is_blocked() && !is_pending();
}

static bool signal_of_the_host(void)
{
    return block() && raise(SIGPIPE) == 0 && write_guarded() && is_blocked() && is_pending();
}

static const struct {
    const char *name;
    bool (*holds)(void);
} CASES[] = {
    {"open_and_silent", open_and_silent},
    {"spoken_on", spoken_on},
    {"ended", ended},
    {"no_socket", no_socket},
    {"signal_of_ours", signal_of_ours},
    {"signal_of_ours_where_it_is_blocked", signal_of_ours_where_it_is_blocked},
    {"signal_of_the_host", signal_of_the_host},
};

int main(int argc, char **argv)
{
    if (argc != 2 || signal(SIGPIPE, SIG_DFL) == SIG_ERR || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        return 2;
    }
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        if (strcmp(CASES[i].name, argv[1]) == 0) {
            return CASES[i].holds() ? 0 : 1;
        }
    }
    (void)fprintf(stderr, "no case of that name\n");
    return 2;
}
