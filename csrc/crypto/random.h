/* OpenSSL's generator, which reseeds itself after a fork. */
#ifndef AHK_RANDOM_H
#define AHK_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"

#define AHK_RANDOM_MAX ((size_t)64 * 1024)

AHK_MUST_USE bool ahk_random(unsigned char *out, size_t length, ahk_error *err);

#endif
