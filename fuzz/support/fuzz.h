/* What the targets in C share. A target is one function, which libFuzzer calls with one input after the other. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../csrc/base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An invariant. It is checked in every build, and a broken one is a crash for libFuzzer. */
#define FUZZ_REQUIRE(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

static inline void fuzz_fail(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* A block of its own, so that AddressSanitizer sees the first byte behind it. The caller frees it. */
static inline void *fuzz_room(size_t size)
{
    void *room = malloc(size > 0 ? size : 1);
    FUZZ_REQUIRE(room != NULL);
    return room;
}

static inline ahk_slice fuzz_slice(const void *data, size_t length)
{
    return (ahk_slice){data, length};
}

/* Takes one byte off the front: what a target is to do is the input's choice. 0 where nothing is left. */
static inline uint8_t fuzz_take(ahk_slice *input)
{
    if (input->length == 0) {
        return 0;
    }
    const uint8_t taken = input->data[0];
    *input = ahk_slice_from(*input, 1);
    return taken;
}

#endif
