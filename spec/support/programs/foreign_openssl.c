/* A program that exports functions of an OpenSSL of its own, as some builds of nginx do, and runs a Lua
 * script. FOREIGN(name) stands in FOREIGN_FUNCTIONS for each function; OpenSSL_version_num says 1.1.1. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

#define FOREIGN(name)                                                                                                  \
    void *name(void);                                                                                                  \
    void *name(void)                                                                                                   \
    {                                                                                                                  \
        return 0;                                                                                                      \
    }
FOREIGN_FUNCTIONS

#ifdef STAND_IN
#include <openssl/crypto.h>
#include <openssl/x509.h>
/* Not position-independent, it has a stand-in for each function whose address its code takes: data would have it from
 * the loader. */
__attribute__((used)) static void *one(void)
{
    return (void *)X509_free;
}
__attribute__((used)) static void *first(void)
{
    return (void *)OpenSSL_version_num;
}
#endif

#ifdef FOREIGN_VERSION
unsigned long OpenSSL_version_num(void);
unsigned long OpenSSL_version_num(void)
{
    return 0x1010113fUL;
}
#endif

int main(int argc, char **argv)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (argc != 2 || luaL_dofile(L, argv[1])) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        return 1;
    }
    return 0;
}
