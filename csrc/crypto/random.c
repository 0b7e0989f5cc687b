#include "random.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include "openssl_error.h"

bool ahk_random(unsigned char *out, size_t length, ahk_error *err)
{
    AHK_REQUIRE(out != NULL || length == 0);
    ERR_clear_error();
    if (length > AHK_RANDOM_MAX) {
        return ahk_fail(err, "random bytes: %zu asked for, at most %zu are given at a time", length, AHK_RANDOM_MAX);
    }
    if (RAND_bytes(out, (int)length) != 1) {
        return ahk_fail_openssl(err, "random bytes: RAND_bytes");
    }
    return true;
}
