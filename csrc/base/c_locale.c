#include "c_locale.h"

#include <stdatomic.h>

/* Made once a process and never freed: some thread may always be in it. */
static locale_t c_locale(void)
{
    static _Atomic(locale_t) made;
    locale_t known = atomic_load(&made);
    if (known == (locale_t)0) {
        const locale_t fresh = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        if (fresh == (locale_t)0 || atomic_compare_exchange_strong(&made, &known, fresh)) {
            return fresh;
        }
        freelocale(fresh); /* another thread was first */
    }
    return known;
}

bool ahk_c_locale_enter(locale_t *before)
{
    AHK_REQUIRE(before != NULL);
    const locale_t locale = c_locale();
    if (locale == (locale_t)0) {
        return false;
    }
    *before = uselocale(locale);
    return true;
}

void ahk_c_locale_leave(locale_t before)
{
    AHK_REQUIRE(before != (locale_t)0);
    (void)uselocale(before);
}

const char *ahk_decimal_point(void)
{
    return localeconv()->decimal_point;
}
