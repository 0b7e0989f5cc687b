/* File descriptors: sockets that no child inherits, and the question whether there are any left. */
#ifndef AHK_DESCRIPTORS_H
#define AHK_DESCRIPTORS_H

#include <stdbool.h>

#include "../base/contract.h"

/* A socket that is closed on exec; -1 and errno. */
AHK_MUST_USE int ahk_socket(int family, int type, int protocol);

/* Whether a socket has not ended and has nothing to read, or may have. */
bool ahk_socket_is_quiet(int fd, bool may_have_bytes);

/* Whether it is connected to somebody. */
bool ahk_socket_is_connected(int fd);

/* Whether the other side has acknowledged all that was written. True where the system cannot tell. */
bool ahk_socket_is_acknowledged(int fd);

/* Acknowledges at once what has come: what the other side holds back until then comes now, and not with the answer to
 * what is written next. */
void ahk_socket_acknowledge(int fd);

/* What libcurl and the resolver open at once beside a connection, at most. */
enum { AHK_DESCRIPTORS_AT_ONCE = 4 };

/* Whether this many could be opened now. */
bool ahk_descriptors_left(int count);

#endif
