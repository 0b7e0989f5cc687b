/* Files with keys and certificates, which are small and of the plain kind: nothing here waits for the other
 * end of a FIFO or reads a device without end. */
#ifndef AHK_FILE_H
#define AHK_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"

typedef struct {
    unsigned char *data;
    size_t length;
    size_t room;
} ahk_file;

/* Reads a whole regular file of at most `max` bytes. On failure there is nothing to free, and the message
 * starts with the path. */
AHK_MUST_USE bool ahk_file_read(ahk_file *file, const char *path, size_t max, ahk_error *err);

/* Cleanses what was read. */
void ahk_file_free(ahk_file *file);

/* Whether a file is what a TLS library takes: PEM, on lines of its own, with a block of that label
 * ("CERTIFICATE") or, for "PRIVATE KEY", of one that ends in it. */
AHK_MUST_USE bool ahk_pem_file(const char *path, const char *label, ahk_error *err);

#endif
