/* Put in front of the C library (LD_PRELOAD): looking up a name takes SLOW_NAMES_SECONDS, as with a silent resolver. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    const char *seconds = getenv("SLOW_NAMES_SECONDS");
    lookup *real = NULL;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    if (seconds != NULL && node != NULL && strstr(node, ".invalid") != NULL) {
        sleep((unsigned)atoi(seconds));
    }
    return real(node, service, hints, found);
}
