/* The keys of the targets: made for fuzzing, and of use for nothing else. */
#ifndef FUZZ_KEYS_H
#define FUZZ_KEYS_H

#include "../../csrc/crypto/key.h"
#include "fuzz.h"

/* Reads a private key below fuzz/keys: the targets run in the folder above. It lives as long as the process. */
static inline ahk_key *fuzz_private_key(const char *path)
{
    ahk_error err = AHK_ERROR_INIT;
    ahk_key *key = ahk_key_read_file(AHK_HALF_PRIVATE, path, fuzz_slice(NULL, 0), &err);
    if (key == NULL) {
        (void)fprintf(stderr, "%s (run it in the folder that holds fuzz/)\n", err.text);
        exit(1);
    }
    return key;
}

#endif
