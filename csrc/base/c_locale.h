/* The C locale beside whatever locale the process is in: numbers are written and read by it. */
#ifndef AHK_C_LOCALE_H
#define AHK_C_LOCALE_H

#include <locale.h>
#include <stdbool.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

#include "contract.h"

/* Puts this thread into the C locale; gives what ahk_c_locale_leave takes. False, and nothing changed, when memory is
 * short. */
AHK_MUST_USE bool ahk_c_locale_enter(locale_t *before);
void ahk_c_locale_leave(locale_t before);

/* Of the locale that this thread is in; stays until the locale changes. */
const char *ahk_decimal_point(void);

#endif
