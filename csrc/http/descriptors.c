#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int ahk_socket(int family, int type, int protocol)
{
#ifdef SOCK_CLOEXEC
    return socket(family, type | SOCK_CLOEXEC, protocol);
#else
    const int fd = socket(family, type, protocol);
    if (fd >= 0) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
#endif
}

bool ahk_socket_is_quiet(int fd, bool may_have_bytes)
{
    char byte;
    const ssize_t n = recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 ? errno == EAGAIN || errno == EWOULDBLOCK : n > 0 && may_have_bytes;
}

bool ahk_descriptors_left(int count)
{
    enum { COUNT_MAX = 8 };
    int opened[COUNT_MAX];
    int n = 0;
    bool left = true;
    while (left && n < count && n < COUNT_MAX) {
        const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            left = errno != EMFILE && errno != ENFILE;
            break;
        }
        opened[n++] = fd;
    }
    while (n > 0) {
        (void)close(opened[--n]);
    }
    return left;
}
