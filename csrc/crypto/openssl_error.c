#include "openssl_error.h"

#include <openssl/err.h>

#include "../base/contract.h"

bool ahk_openssl_lacked_memory(void)
{
    bool found = false;
    for (unsigned long code = ERR_get_error(); code != 0; code = ERR_get_error()) {
        found = found || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
    }
    return found;
}

bool ahk_fail_openssl(ahk_error *err, const char *what)
{
    AHK_REQUIRE(what != NULL);
    const unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (ahk_openssl_lacked_memory()) {
        return ahk_fail(err, "out of memory");
    }
    return ahk_fail(err, "%s: %s", what, reason != NULL ? reason : "OpenSSL gives no reason");
}
