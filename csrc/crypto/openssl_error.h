/* OpenSSL's error queue is per thread and shared with the host (nginx reads it too): whatever we
 * call leaves it empty. */
#ifndef AHK_OPENSSL_ERROR_H
#define AHK_OPENSSL_ERROR_H

#include "../base/error.h"

/* Whether memory was short, which makes other things fail and need not be the oldest error; empties the queue. */
bool ahk_openssl_lacked_memory(void);

/* Sets "<what>: <reason of the oldest error>", or "out of memory" where that was the reason of any; empties the
 * queue, returns false. */
bool ahk_fail_openssl(ahk_error *err, const char *what);

#endif
