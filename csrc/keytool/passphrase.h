/* A passphrase, from a terminal or from a file: it is never an argument, which other users of the machine can read. */
#ifndef AHK_KEYTOOL_PASSPHRASE_H
#define AHK_KEYTOOL_PASSPHRASE_H

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

#include <stdbool.h>

/* What OpenSSL takes, and one byte. */
enum { AHK_PASSPHRASE_ROOM = 1025 };

typedef struct {
    char text[AHK_PASSPHRASE_ROOM];
    size_t length;
} ahk_passphrase;

typedef enum { AHK_ASKED, AHK_ASKED_INTERRUPTED, AHK_ASKED_FAILED } ahk_asked;

/* Asks at the process's terminal, where what is typed is not shown; *err for AHK_ASKED_FAILED. What there was before
 * is cleansed. */
AHK_MUST_USE ahk_asked ahk_passphrase_ask(ahk_passphrase *passphrase, const char *prompt, ahk_error *err);

/* The first line of a file, without its line break. The message starts with the path. */
AHK_MUST_USE bool ahk_passphrase_read(ahk_passphrase *passphrase, const char *path, ahk_error *err);

void ahk_passphrase_cleanse(ahk_passphrase *passphrase);

ahk_slice ahk_passphrase_slice(const ahk_passphrase *passphrase);

#endif
