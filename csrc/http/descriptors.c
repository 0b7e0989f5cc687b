#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include "../base/error.h"

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
    AHK_REQUIRE(fd >= 0);
    char byte;
    const ssize_t n = recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 ? errno == EAGAIN || errno == EWOULDBLOCK : n > 0 && may_have_bytes;
}

bool ahk_socket_is_connected(int fd)
{
    AHK_REQUIRE(fd >= 0);
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

bool ahk_socket_is_acknowledged(int fd)
{
    AHK_REQUIRE(fd >= 0);
#ifdef SIOCOUTQ
    int unacknowledged = 0;
    return ioctl(fd, SIOCOUTQ, &unacknowledged) != 0 || unacknowledged == 0;
#else
    (void)fd;
    return true;
#endif
}

void ahk_socket_acknowledge(int fd)
{
    AHK_REQUIRE(fd >= 0);
#ifdef TCP_QUICKACK
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#else
    (void)fd;
#endif
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
            left = !ahk_errno_is_of_descriptors(errno);
            break;
        }
        opened[n++] = fd;
    }
    while (n > 0) {
        (void)close(opened[--n]);
    }
    return left;
}
