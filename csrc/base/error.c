#include "error.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "c_locale.h"
#include "contract.h"
#include "utf8.h"

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

int ahk_shown(const char *text, size_t max)
{
    AHK_REQUIRE(text != NULL && max < INT_MAX);
    enum { CONTINUATIONS_MAX = 3 };
    const size_t length = strnlen(text, max + 1);
    if (length <= max) {
        return (int)length;
    }
    size_t cut = max;
    while (cut > 0 && max - cut < CONTINUATIONS_MAX && is_continuation(text[cut])) {
        cut--;
    }
    return (int)(is_continuation(text[cut]) ? max : cut); /* so many in a row are no UTF-8 */
}

/* What a library, a server or a damaged file says may be any bytes. */
static void make_line(char *text, size_t length)
{
    size_t i = 0;
    while (i < length) {
        const size_t character = ahk_utf8_sequence((const unsigned char *)text + i, length - i);
        if (character == 0) {
            text[i] = '?';
        } else if ((unsigned char)text[i] < ' ' || text[i] == 0x7F) {
            text[i] = ' ';
        }
        i += character > 0 ? character : 1;
    }
}

bool ahk_fail(ahk_error *err, const char *format, ...)
{
    AHK_REQUIRE(err != NULL && format != NULL);
    char text[sizeof err->text + 4]; /* room to see what stands behind the cut */
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0) {
        *err = (ahk_error)AHK_ERROR_INIT;
        return false;
    }
    const size_t shown = (size_t)ahk_shown(text, sizeof err->text - 1);
    memcpy(err->text, text, shown);
    err->text[shown] = '\0';
    make_line(err->text, shown);
    return false;
}

ahk_system_words ahk_explain_errno(int code)
{
    ahk_system_words words;
    locale_t before;
    const bool entered = ahk_c_locale_enter(&before);
    (void)snprintf(words.text, sizeof words.text, "%s", strerror(code));
    if (entered) {
        ahk_c_locale_leave(before);
    }
    return words;
}
