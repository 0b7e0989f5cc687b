/* OpenSSL's error queue is per thread and shared with the host (nginx reads it too): whatever we
 * call leaves it empty. */
#ifndef AHK_OPENSSL_ERROR_H
#define AHK_OPENSSL_ERROR_H

#include "../base/error.h"

/* Sets "<what>: <reason of the oldest error>", empties the queue, returns false. */
bool ahk_fail_openssl(ahk_error *err, const char *what);

#endif
