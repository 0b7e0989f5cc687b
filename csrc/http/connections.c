#include "connections.h"

#include <unistd.h>

#include "descriptors.h"
#include "options.h"
#include "tls_library.h"

static bool is_same_file(const ahk_kept *kept)
{
    struct stat now;
    return fstat(kept->fd, &now) == 0 && now.st_dev == kept->device && now.st_ino == kept->inode;
}

/* A connection that libcurl has closed itself counts as quiet. */
static bool is_quiet(const ahk_kept *kept)
{
    return !is_same_file(kept) || ahk_socket_is_quiet(kept->fd, kept->multiplexed);
}

bool ahk_connections_are_quiet(const ahk_connections *connections)
{
    AHK_REQUIRE(connections->count <= AHK_KEPT_MAX);
    for (size_t i = 0; i < connections->count; i++) {
        if (!is_quiet(&connections->kept[i])) {
            return false;
        }
    }
    return true;
}

bool ahk_connections_are_acknowledged(const ahk_connections *connections)
{
    for (size_t i = 0; i < connections->count; i++) {
        const ahk_kept *kept = &connections->kept[i];
        if (!kept->multiplexed && is_same_file(kept) && !ahk_socket_is_acknowledged(kept->fd)) {
            return false;
        }
    }
    return true;
}

/* After a fork: forgets the connections and leaks their memory. Closing a shared TLS connection would end it for the
 * parent, too. */
static void abandon_inherited(ahk_connections *connections)
{
    const pid_t here = getpid();
    if (connections->owner != here) {
        *connections = (ahk_connections){.owner = here};
    }
}

static bool make_sessions(ahk_connections *connections)
{
    connections->sessions = curl_share_init();
    return connections->sessions != NULL &&
           curl_share_setopt(connections->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

static bool make_multi(ahk_connections *connections)
{
    connections->multi = ahk_options_multi(AHK_KEPT_MAX);
    return connections->multi != NULL;
}

bool ahk_connections_ready(ahk_connections *connections)
{
    abandon_inherited(connections);
    if (!ahk_connections_are_quiet(connections)) {
        ahk_connections_drop(connections);
    }
    const bool made = (connections->multi != NULL || make_multi(connections)) &&
                      (connections->sessions != NULL || make_sessions(connections));
    if (!made) {
        ahk_connections_free(connections);
    }
    return made;
}

static bool is_known(const ahk_connections *connections, const ahk_kept *one)
{
    for (size_t i = 0; i < connections->count; i++) {
        const ahk_kept *other = &connections->kept[i];
        if (other->fd == one->fd && other->device == one->device && other->inode == one->inode) {
            return true;
        }
    }
    return false;
}

static void forget_closed(ahk_connections *connections)
{
    size_t left = 0;
    for (size_t i = 0; i < connections->count; i++) {
        if (is_same_file(&connections->kept[i])) {
            connections->kept[left++] = connections->kept[i];
        }
    }
    connections->count = left;
}

bool ahk_connections_keep(ahk_connections *connections, CURL *easy, const void *session, bool multiplexed)
{
    AHK_REQUIRE(connections->multi != NULL && connections->owner == getpid() && easy != NULL);
    ahk_kept one = {.fd = CURL_SOCKET_BAD, .multiplexed = multiplexed};
    struct stat file;
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &one.fd) != CURLE_OK || one.fd == CURL_SOCKET_BAD) {
        return true; /* libcurl has closed it */
    }
    if (fstat(one.fd, &file) != 0 || (!one.multiplexed && ahk_tls_has_unread(session))) {
        return false;
    }
    one.device = file.st_dev;
    one.inode = file.st_ino;
    ahk_socket_acknowledge(one.fd);
    if (!is_known(connections, &one)) {
        forget_closed(connections);
        if (connections->count == AHK_KEPT_MAX) {
            return false;
        }
        connections->kept[connections->count++] = one;
    }
    return is_quiet(&one);
}

void ahk_connections_drop(ahk_connections *connections)
{
    if (connections->multi != NULL) {
        (void)curl_multi_cleanup(connections->multi);
    }
    connections->multi = NULL;
    connections->count = 0;
}

void ahk_connections_free(ahk_connections *connections)
{
    abandon_inherited(connections);
    ahk_connections_drop(connections);
    if (connections->sessions != NULL) {
        (void)curl_share_cleanup(connections->sessions);
    }
    *connections = (ahk_connections){0};
}
