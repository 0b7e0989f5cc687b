#include "openssl_error.h"

#include <openssl/err.h>

bool ahk_fail_openssl(ahk_error *err, const char *what)
{
    const unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return ahk_fail(err, "%s: %s", what, reason != NULL ? reason : "OpenSSL gives no reason");
}
