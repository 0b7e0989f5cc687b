/* The other end of libcurl's connections: `wire.serve(bytes)` makes the next connection one within this process, whose
 * server reads a request and answers with these bytes. */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

int luaopen_wire(lua_State *L);
int connect(int fd, const struct sockaddr *address, socklen_t length);

static int serve(lua_State *L)
{
    (void)L;
    return 0;
}

int luaopen_wire(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, serve);
    lua_setfield(L, -2, "serve");
    return 1;
}
