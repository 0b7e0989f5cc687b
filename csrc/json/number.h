/* A number as JSON writes it, whatever the locale. */
#ifndef AHK_JSON_NUMBER_H
#define AHK_JSON_NUMBER_H

#include <stdbool.h>

#include "../base/contract.h"

#define AHK_JSON_NUMBER_SIZE 32

/* The shortest text that reads as the same double; a whole number up to 2^53 in its digits. False for what JSON has no
 * form for, NaN and infinity, and when memory is short. */
AHK_MUST_USE bool ahk_json_number_write(double number, char out[AHK_JSON_NUMBER_SIZE]);

/* Reads a number of JSON, NUL behind it. False when memory is short. */
AHK_MUST_USE bool ahk_json_number_read(const char *text, double *number);

#endif
