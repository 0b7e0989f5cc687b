/* The other end of connections to 127.0.0.1:1, libcurl's and ours: a socket pair within this process.
 * `wire.serve(bytes, last)`: the server of the next one reads up to what a request ends with, answers with these bytes,
 * and closes. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"

int luaopen_wire(lua_State *L);
/* libcurl's calls come here: the symbols of a program go before those of its libraries. */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address, socklen_t length);

enum { LAST_MAX = 32 };

static struct {
    char last[LAST_MAX];
    size_t last_length;
    char *bytes;
    size_t length;
    int socket;
    bool is_running;
    pthread_t thread;
} server;

static bool read_request(void)
{
    char seen[LAST_MAX] = {0};
    char more[4096];
    while (memcmp(seen, server.last, server.last_length) != 0) {
        const ssize_t got = recv(server.socket, more, sizeof more, 0);
        if (got <= 0) {
            return false;
        }
        for (ssize_t i = 0; i < got; i++) {
            memmove(seen, seen + 1, server.last_length - 1);
            seen[server.last_length - 1] = more[i];
        }
    }
    return true;
}

static void *run(void *unused)
{
    (void)unused;
    size_t sent = 0;
    if (read_request()) {
        ssize_t n = 1;
        while (sent < server.length && n > 0) {
            n = send(server.socket, server.bytes + sent, server.length - sent, MSG_NOSIGNAL);
            sent += n > 0 ? (size_t)n : 0;
        }
    }
    (void)close(server.socket);
    return NULL;
}

static void stop(void)
{
    if (server.is_running) {
        FUZZ_REQUIRE(pthread_join(server.thread, NULL) == 0);
        server.is_running = false;
    }
    free(server.bytes);
    server.bytes = NULL;
}

static int start(int fd)
{
    int pair[2];
    if (server.is_running || server.bytes == NULL) { /* one connection an answer */
        return -1;
    }
    FUZZ_REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    FUZZ_REQUIRE(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0 && dup3(pair[0], fd, O_CLOEXEC) == fd);
    (void)close(pair[0]);
    server.socket = pair[1];
    server.is_running = pthread_create(&server.thread, NULL, run, NULL) == 0;
    FUZZ_REQUIRE(server.is_running);
    return 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    const struct sockaddr_in *internet = (const struct sockaddr_in *)(const void *)address;
    if (address->sa_family == AF_INET && ntohs(internet->sin_port) == 1) {
        return start(fd);
    }
    return (int)syscall(SYS_connect, fd, address, length);
}

static int serve(lua_State *L)
{
    size_t length = 0;
    const char *bytes = luaL_checklstring(L, 1, &length);
    size_t last_length = 0;
    const char *last = luaL_checklstring(L, 2, &last_length);
    luaL_argcheck(L, last_length > 0 && last_length <= LAST_MAX, 2, "1 to 32 bytes");
    stop();
    memcpy(server.last, last, last_length);
    server.last_length = last_length;
    server.bytes = fuzz_room(length);
    memcpy(server.bytes, bytes, length);
    server.length = length;
    return 0;
}

int luaopen_wire(lua_State *L)
{
    FUZZ_REQUIRE(atexit(stop) == 0);
    lua_newtable(L);
    lua_pushcfunction(L, serve);
    lua_setfield(L, -2, "serve");
    return 1;
}
