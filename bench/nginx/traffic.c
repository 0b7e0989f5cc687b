/* The load that the nginx benchmarks put on a worker: one thread, one epoll, kept connections to a loopback port.
 * A stream either sends at a fixed rate, whatever comes back (so that a stalled worker cannot slow down its own
 * measuring), or sends on each connection as soon as that one has its answer. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { STREAMS_MAX = 4, ANSWER_MAX = 2048, EVENTS = 64 };
static const double SETTLE = 0.1; /* seconds for the server to take new connections */

typedef struct stream stream;

typedef struct {
    stream *owner;
    int fd;
    double sent; /* 0 while it waits for nothing */
    size_t used;
    char answer[ANSWER_MAX];
} connection;

struct stream {
    const char *request;
    size_t length;
    double interval; /* 0: as fast as answers come */
    double due;
    long left; /* requests still to be sent */
    connection *connections;
    int count;
    int next; /* where to look for one that is free */
    int busy;
    double *samples; /* seconds of each answer, and at the end of what was not answered */
    size_t taken, room;
    long ok, failed;
    double last;
};

typedef struct {
    stream streams[STREAMS_MAX];
    int count;
    int port;
    int epoll;
    int timer;
    double start, end;
} load;

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- connections ------------------------------------------------------------------------------ */

static int open_connection(const load *l, connection *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)l->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->sent = 0;
    c->used = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    return c->fd >= 0 && connect(c->fd, (struct sockaddr *)&address, sizeof address) == 0 &&
           setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
           epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static void take_sample(stream *s, double seconds)
{
    if (s->taken == s->room) {
        s->room = s->room * 2 + 1024;
        double *grown = realloc(s->samples, s->room * sizeof *grown);
        if (grown == NULL) {
            abort();
        }
        s->samples = grown;
    }
    s->samples[s->taken++] = seconds;
}

static void send_on(connection *c)
{
    stream *s = c->owner;
    c->sent = now();
    c->used = 0;
    s->left--;
    s->busy++;
    if (send(c->fd, s->request, s->length, MSG_NOSIGNAL) != (ssize_t)s->length) {
        (void)shutdown(c->fd, SHUT_RDWR); /* comes back as an end without an answer */
    }
}

static void send_next(stream *s)
{
    for (int i = 0; i < s->count; i++) {
        connection *c = &s->connections[s->next];
        s->next = (s->next + 1) % s->count;
        if (c->fd >= 0 && c->sent == 0) {
            send_on(c);
            return;
        }
    }
    s->left--;
    s->failed++;
}

static void finish(load *l, connection *c, int good)
{
    stream *s = c->owner;
    const double t = now();
    take_sample(s, t - c->sent);
    s->busy--;
    s->last = t;
    c->sent = 0;
    if (good) {
        s->ok++;
    } else {
        s->failed++;
    }
    if (s->interval == 0 && s->left > 0 && t < l->end && c->fd >= 0) {
        send_on(c);
    }
}

/* Whole when it has as many bytes as it says, or its last chunk. */
static int is_whole(connection *c)
{
    static const char LAST_CHUNK[] = "\r\n0\r\n\r\n";
    const size_t tail = sizeof LAST_CHUNK - 1;
    c->answer[c->used] = '\0';
    const char *body = strstr(c->answer, "\r\n\r\n");
    if (body == NULL) {
        return 0;
    }
    body += 4;
    const char *length = strcasestr(c->answer, "\r\ncontent-length:");
    if (length != NULL && length < body) {
        return strtol(length + 17, NULL, 10) <= (long)(c->used - (size_t)(body - c->answer));
    }
    return c->used >= tail && memcmp(c->answer + c->used - tail, LAST_CHUNK, tail) == 0;
}

static void receive(load *l, connection *c)
{
    const ssize_t n = recv(c->fd, c->answer + c->used, ANSWER_MAX - 1 - c->used, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        (void)close(c->fd);
        c->fd = -1;
        if (c->sent != 0) {
            finish(l, c, 0);
        }
        return;
    }
    c->used += (size_t)n;
    if (is_whole(c) && c->sent != 0) {
        finish(l, c, strncmp(c->answer, "HTTP/1.1 200 ", 13) == 0);
    }
}

/* ---- the run ---------------------------------------------------------------------------------- */

/* Sends what is due; gives the time of what is due next, `end` where there is nothing. */
static double send_due(load *l)
{
    const double t = now();
    double next = l->end;
    for (int i = 0; i < l->count; i++) {
        stream *s = &l->streams[i];
        if (s->interval == 0 || s->left <= 0) {
            continue;
        }
        while (s->due <= t && s->due < l->end && s->left > 0) {
            s->due += s->interval;
            send_next(s);
        }
        if (s->left > 0 && s->due < next) {
            next = s->due;
        }
    }
    return next;
}

static int is_done(const load *l)
{
    for (int i = 0; i < l->count; i++) {
        const stream *s = &l->streams[i];
        if (s->busy > 0 || (s->left > 0 && now() < l->end)) {
            return 0;
        }
    }
    return 1;
}

static void wait_until(load *l, double t)
{
    struct itimerspec at = {.it_value = {.tv_sec = (time_t)t}};
    at.it_value.tv_nsec = (long)((t - (double)at.it_value.tv_sec) * 1e9);
    (void)timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &at, NULL);
    struct epoll_event events[EVENTS];
    const int n = epoll_wait(l->epoll, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == NULL) {
            uint64_t expired = 0;
            (void)!read(l->timer, &expired, sizeof expired);
        } else {
            receive(l, events[i].data.ptr);
        }
    }
}

static void run(load *l, double duration, double grace)
{
    l->start = now();
    l->end = l->start + duration;
    for (int i = 0; i < l->count; i++) {
        stream *s = &l->streams[i];
        s->due = l->start;
        s->last = l->start;
        for (int k = 0; s->interval == 0 && k < s->count && s->left > 0; k++) {
            send_on(&s->connections[k]);
        }
    }
    while (!is_done(l) && now() < l->end + grace) {
        const double next = send_due(l);
        wait_until(l, now() < l->end ? next : l->end + grace);
    }
    for (int i = 0; i < l->count; i++) {
        stream *s = &l->streams[i];
        for (int k = 0; k < s->count; k++) {
            if (s->connections[k].sent != 0) {
                take_sample(s, now() - s->connections[k].sent);
            }
        }
    }
}

/* ---- for Lua ---------------------------------------------------------------------------------- */

static int open_all(load *l)
{
    const struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int good = epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->timer, (struct epoll_event *)&event) == 0;
    for (int i = 0; i < l->count; i++) {
        stream *s = &l->streams[i];
        s->connections = calloc((size_t)s->count, sizeof *s->connections);
        for (int k = 0; good && k < s->count; k++) {
            s->connections[k].owner = s;
            good = open_connection(l, &s->connections[k]);
        }
    }
    (void)usleep((useconds_t)(SETTLE * 1e6));
    return good;
}

static void close_all(load *l)
{
    for (int i = 0; i < l->count; i++) {
        stream *s = &l->streams[i];
        for (int k = 0; k < s->count; k++) {
            if (s->connections[k].fd > 0) {
                (void)close(s->connections[k].fd);
            }
        }
        free(s->connections);
        free(s->samples);
    }
    (void)close(l->timer);
    (void)close(l->epoll);
}

static double field(lua_State *L, int index, const char *name, double fallback)
{
    lua_getfield(L, index, name);
    const double value = lua_isnil(L, -1) ? fallback : luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The request's string stays in the table that is given. */
static void read_stream(lua_State *L, int index, stream *s)
{
    lua_getfield(L, index, "request");
    s->request = luaL_checklstring(L, -1, &s->length);
    lua_pop(L, 1);
    const double rate = field(L, index, "rate", 0);
    s->interval = rate > 0 ? 1 / rate : 0;
    s->count = (int)field(L, index, "connections", 1);
    s->left = (long)field(L, index, "requests", 1e9);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void set(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void push_result(lua_State *L, const load *l, stream *s)
{
    lua_newtable(L);
    set(L, "ok", (double)s->ok);
    set(L, "failed", (double)s->failed);
    set(L, "unanswered", (double)s->busy);
    set(L, "per_second", (double)s->ok / (s->last > l->start ? s->last - l->start : 1));
    if (s->taken > 0) {
        qsort(s->samples, s->taken, sizeof *s->samples, compare);
        set(L, "p50_ms", s->samples[s->taken / 2] * 1e3);
        set(L, "p99_ms", s->samples[s->taken * 99 / 100] * 1e3);
        set(L, "max_ms", s->samples[s->taken - 1] * 1e3);
    }
}

/* traffic.run(port, { { request = bytes, rate = a second or none, connections = n, requests = at most }, ... },
 * seconds, grace): a result for each stream. After `seconds` nothing more is sent and for `grace` seconds answers are
 * awaited; what has none then counts with its age. */
static int traffic_run(lua_State *L)
{
    load l = {.port = (int)luaL_checkinteger(L, 1)};
    luaL_checktype(L, 2, LUA_TTABLE);
    const double duration = luaL_checknumber(L, 3);
    const double grace = luaL_checknumber(L, 4);
    for (; l.count < STREAMS_MAX; l.count++) {
        lua_rawgeti(L, 2, l.count + 1);
        if (lua_isnil(L, -1)) {
            break;
        }
        read_stream(L, lua_gettop(L), &l.streams[l.count]);
    }
    const int good = open_all(&l);
    if (good) {
        run(&l, duration, grace);
    }
    for (int i = 0; i < l.count; i++) {
        push_result(L, &l, &l.streams[i]);
    }
    close_all(&l);
    return good ? l.count : luaL_error(L, "traffic.run: cannot connect to port %d", l.port);
}

int luaopen_traffic(lua_State *L);

__attribute__((visibility("default"))) int luaopen_traffic(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, traffic_run);
    lua_setfield(L, -2, "run");
    return 1;
}
