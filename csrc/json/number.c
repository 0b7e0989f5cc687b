#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/c_locale.h"

static const double DOUBLE_INTEGER_MAX = 9007199254740992.0; /* 2^53 */

/* In the C locale. */
static void write_shortest(double number, char out[AHK_JSON_NUMBER_SIZE])
{
    enum { DIGITS_ENOUGH_FOR_MOST = 15, DIGITS_ENOUGH = 17 };
    for (int digits = DIGITS_ENOUGH_FOR_MOST; digits <= DIGITS_ENOUGH; digits++) {
        (void)snprintf(out, AHK_JSON_NUMBER_SIZE, "%.*g", digits, number);
        /* Equal to the bit: the text is to read as this very double. */
        if (strtod(out, NULL) == number) {
            return;
        }
    }
}

bool ahk_json_number_write(double number, char out[AHK_JSON_NUMBER_SIZE])
{
    AHK_REQUIRE(out != NULL);
    locale_t before;
    if (!isfinite(number) || !ahk_c_locale_enter(&before)) {
        return false;
    }
    if (floor(number) == number && fabs(number) <= DOUBLE_INTEGER_MAX) {
        (void)snprintf(out, AHK_JSON_NUMBER_SIZE, "%.0f", number);
    } else {
        write_shortest(number, out);
    }
    ahk_c_locale_leave(before);
    return true;
}

bool ahk_json_number_read(const char *text, double *number)
{
    AHK_REQUIRE(text != NULL && number != NULL);
    locale_t before;
    if (!ahk_c_locale_enter(&before)) {
        return false;
    }
    *number = strtod(text, NULL);
    ahk_c_locale_leave(before);
    return true;
}
