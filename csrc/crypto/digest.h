/* SHA-256 of bytes, to know them again. */
#ifndef AHK_DIGEST_H
#define AHK_DIGEST_H

#include <stdbool.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

enum { AHK_SHA256_SIZE = 32 };

AHK_MUST_USE bool ahk_sha256(ahk_slice bytes, unsigned char out[AHK_SHA256_SIZE], ahk_error *err);

#endif
