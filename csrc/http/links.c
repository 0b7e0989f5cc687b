#include "links.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptors.h"
#include "tls_library.h"

bool ahk_links_add(ahk_links *links, curl_socket_t fd)
{
    ahk_link *link = calloc(1, sizeof *link);
    if (link == NULL) {
        return false;
    }
    link->id = ++links->last_id;
    link->fd = fd;
    link->next = links->first;
    links->first = link;
    return true;
}

int ahk_links_close(void *user, curl_socket_t fd)
{
    ahk_links *links = user;
    for (ahk_link **at = &links->first; *at != NULL; at = &(*at)->next) {
        if ((*at)->fd == fd) {
            ahk_link *gone = *at;
            *at = gone->next;
            free(gone);
            break;
        }
    }
    return close(fd);
}

/* 0 where it is not bound yet. */
static int local_port(curl_socket_t fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    if (address.ss_family == AF_INET) {
        return ntohs(((const struct sockaddr_in *)(const void *)&address)->sin_port);
    }
    return address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)&address)->sin6_port) : 0;
}

ahk_link *ahk_links_by_port(ahk_links *links, int port)
{
    for (ahk_link *link = links->first; link != NULL; link = link->next) {
        if (link->port == 0) {
            link->port = local_port(link->fd);
        }
        if (link->port == port) {
            return link;
        }
    }
    return NULL;
}

ahk_link *ahk_links_by_id(ahk_links *links, unsigned long id)
{
    for (ahk_link *link = links->first; link != NULL; link = link->next) {
        if (link->id == id) {
            return link;
        }
    }
    return NULL;
}

bool ahk_link_is_quiet(const ahk_link *link, const void *session)
{
    return !link->tainted && ahk_socket_is_quiet(link->fd, link->multiplexed) &&
           (link->multiplexed || !ahk_tls_has_unread(session));
}

void ahk_links_free(ahk_links *links)
{
    while (links->first != NULL) {
        ahk_link *left = links->first;
        links->first = left->next;
        free(left);
    }
}
