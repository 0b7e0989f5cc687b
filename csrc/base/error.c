#include "error.h"

#include <stdarg.h>
#include <stdio.h>

bool ahk_fail(ahk_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}
