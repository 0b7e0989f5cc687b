/* The other direction: what the encoder at hand cannot write (a number with all its digits, an empty list) is given to
 * it as a string that begins with AHK_JSON_MARK, and put into the text that it wrote. */
#ifndef AHK_JSON_FINISH_H
#define AHK_JSON_FINISH_H

#include <stddef.h>

#include "../base/slice.h"
#include "scan.h"

/* For each string of the JSON that begins with the mark: what follows takes the string's place, quotes and all; where a
 * second mark follows, the string just loses the first. Writes at most text.length bytes; gives how many. */
AHK_MUST_USE size_t ahk_json_finish(ahk_slice text, char *out);

#endif
