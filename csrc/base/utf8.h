/* UTF-8: no surrogates, nothing overlong or above U+10FFFF. */
#ifndef AHK_UTF8_H
#define AHK_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "contract.h"
#include "slice.h"

/* Length of the character at s, of which `left` bytes, 1 or more, are there; 0 where none begins. */
AHK_MUST_USE size_t ahk_utf8_sequence(const unsigned char *s, size_t left);

/* Counts the characters. False for what is no UTF-8, with the offset of the first bad byte in *at. */
AHK_MUST_USE bool ahk_utf8_length(ahk_slice in, size_t *characters, size_t *at);

#endif
