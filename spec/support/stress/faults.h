/* The allocators of five worlds (Lua, OpenSSL, libcurl, SQLite, our own C with libhiredis) and the system's calls of
 * them all: they count, and fail where they are told to. */
#ifndef STRESS_FAULTS_H
#define STRESS_FAULTS_H

#include <lua.h>
#include <stdbool.h>

/* Before anything else: false when a library has allocated by its own malloc already. */
bool faults_install(void);

lua_State *faults_new_state(void);

/* How a system call is to fail: one of `codes`, of which the first may last; 0: it is not to fail. */
int faults_of_call(const char *name, const int *codes, int count);

/* The Lua module: see the functions in faults.c. */
int luaopen_stress(lua_State *L);

#endif
