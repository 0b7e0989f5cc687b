#include "digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "openssl_error.h"

bool ahk_sha256(ahk_slice bytes, unsigned char out[AHK_SHA256_SIZE], ahk_error *err)
{
    ERR_clear_error();
    if (EVP_Digest(bytes.data, bytes.length, out, NULL, EVP_sha256(), NULL) != 1) {
        return ahk_fail_openssl(err, "sha256: EVP_Digest");
    }
    return true;
}
