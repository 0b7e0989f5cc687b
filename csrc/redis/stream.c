#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../http/descriptors.h"
#include "stream_tls.h"

enum { MS = 1000 };

static bool fail_system(ahk_error *err, const char *what, int code)
{
    return ahk_fail(err, "%s: %s", what, ahk_explain_errno(code).text);
}

static bool wait_for(int fd, short events, double deadline)
{
    for (;;) {
        const double left = (deadline - ahk_monotonic()) * MS;
        if (!(left > 0)) {
            return false;
        }
        struct pollfd one = {.fd = fd, .events = events};
        const int found = poll(&one, 1, left < INT_MAX - 1 ? (int)left + 1 : INT_MAX);
        if (found > 0 || (found < 0 && errno != EINTR)) {
            return true; /* what is wrong the next read or write says */
        }
    }
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static ahk_stream_result unreachable(int code, ahk_error *err)
{
    (void)fail_system(err, "no connection", code);
    return AHK_STREAM_UNREACHABLE;
}

static ahk_stream_result wait_for_connection(int fd, double deadline, ahk_error *err)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (!wait_for(fd, POLLOUT, deadline)) {
        (void)ahk_fail(err, "no connection within connect_timeout_ms");
        return AHK_STREAM_LATE;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) {
        code = errno;
    }
    return code == 0 ? AHK_STREAM_OPEN : unreachable(code, err);
}

static ahk_stream_result connect_to(ahk_stream *stream, const struct addrinfo *address, double deadline, ahk_error *err)
{
    const int on = 1;
    stream->fd = ahk_socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    const int code = errno;
    stream->no_descriptors = stream->fd < 0 && ahk_errno_is_of_descriptors(code);
    if (stream->fd < 0) {
        (void)(stream->no_descriptors ? ahk_fail(err, AHK_NO_DESCRIPTORS) : fail_system(err, "no connection", code));
        return AHK_STREAM_UNREACHABLE;
    }
    stream->is_open = true;
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fcntl(stream->fd, F_SETFL, O_NONBLOCK) != 0) {
        return unreachable(errno, err);
    }
    if (connect(stream->fd, address->ai_addr, address->ai_addrlen) == 0) {
        return AHK_STREAM_OPEN;
    }
    return errno == EINPROGRESS ? wait_for_connection(stream->fd, deadline, err) : unreachable(errno, err);
}

static int count(const struct addrinfo *addresses)
{
    int n = 0;
    for (; addresses != NULL; addresses = addresses->ai_next) {
        n++;
    }
    return n;
}

/* One after the other; of the time that is left each has its share, so that a dead one does not use up all. */
static ahk_stream_result connect_to_any(ahk_stream *stream, const struct addrinfo *addresses, double deadline,
                                        ahk_error *err)
{
    ahk_stream_result result = AHK_STREAM_UNREACHABLE;
    for (int left = count(addresses); left > 0; left--) {
        const double now = ahk_monotonic();
        result = connect_to(stream, addresses, now + (deadline - now) / left, err);
        if (result == AHK_STREAM_OPEN) {
            break;
        }
        ahk_stream_close(stream);
        addresses = addresses->ai_next;
    }
    return result;
}

ahk_stream_result ahk_stream_open(ahk_stream *stream, const ahk_stream_target *target, double deadline, ahk_error *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses = NULL;
    const int code = getaddrinfo(target->host, target->port, &hints, &addresses);
    if (code != 0) {
        stream->no_descriptors = !ahk_descriptors_left(AHK_DESCRIPTORS_AT_ONCE);
        (void)(stream->no_descriptors ? ahk_fail(err, AHK_NO_DESCRIPTORS)
                                      : ahk_fail(err, "its name was not found (%s)", gai_strerror(code)));
        return AHK_STREAM_UNREACHABLE;
    }
    ahk_stream_result result = connect_to_any(stream, addresses, deadline, err);
    freeaddrinfo(addresses);
    if (result == AHK_STREAM_OPEN && target->tls) {
        result = ahk_stream_tls_open(stream, target, deadline, err);
    }
    return result;
}

/* ---- what goes over it ---------------------------------------------------------------------------- */

static bool is_not_yet(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

ptrdiff_t ahk_stream_read(ahk_stream *stream, char *buffer, size_t size, ahk_error *err)
{
    AHK_REQUIRE(stream->is_open && size > 0);
    if (stream->ssl != NULL) {
        return ahk_stream_tls_read(stream, buffer, size, err);
    }
    const ssize_t n = recv(stream->fd, buffer, size, 0);
    if (n > 0) {
        return n;
    }
    if (n < 0 && is_not_yet(errno)) {
        stream->events |= POLLIN;
        return 0;
    }
    (void)(n == 0 ? ahk_fail(err, "the server closed the connection")
                  : fail_system(err, "the connection broke", errno));
    return -1;
}

ptrdiff_t ahk_stream_write(ahk_stream *stream, const char *data, size_t length, ahk_error *err)
{
    AHK_REQUIRE(stream->is_open && length > 0);
    if (stream->ssl != NULL) {
        return ahk_stream_tls_write(stream, data, length, err);
    }
    const ssize_t n = send(stream->fd, data, length, 0);
    if (n >= 0) {
        return n;
    }
    if (is_not_yet(errno)) {
        stream->events |= POLLOUT;
        return 0;
    }
    (void)fail_system(err, "the connection broke", errno);
    return -1;
}

short ahk_stream_events(ahk_stream *stream)
{
    const short events = stream->events;
    stream->events = 0;
    return events;
}

bool ahk_stream_wait(ahk_stream *stream, double deadline)
{
    AHK_REQUIRE(stream->is_open);
    return wait_for(stream->fd, ahk_stream_events(stream), deadline);
}

void ahk_stream_close(ahk_stream *stream)
{
    ahk_stream_tls_close(stream);
    if (stream->is_open) {
        (void)close(stream->fd);
    }
    stream->is_open = false;
}
