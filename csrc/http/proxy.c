#include "proxy.h"

#include <stdlib.h>
#include <string.h>

#include "../base/slice.h"

static const char *first_set(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0') {
            return *names;
        }
    }
    return NULL;
}

const char *ahk_proxy_variable(bool is_tls)
{
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
    static const char *const for_http[] = {"http_proxy", "all_proxy", "ALL_PROXY",
                                           NULL}; /* not HTTP_PROXY: under CGI that is a header of the client's */
    return first_set(is_tls ? for_https : for_http);
}

bool ahk_proxy_is_sound(const char *url)
{
    AHK_REQUIRE(url != NULL);
    for (const unsigned char *p = (const unsigned char *)url; *p != '\0'; p++) {
        const int high = *p == '%' ? ahk_hex_value(p[1]) : -1;
        const int low = high >= 0 ? ahk_hex_value(p[2]) : -1;
        const int character = low >= 0 ? high * 16 + low : *p;
        if (character < ' ' || character == 0x7F) {
            return false;
        }
    }
    return true;
}

static size_t append(char *out, size_t size, size_t at, const char *text, size_t length)
{
    for (size_t i = 0; i < length && at + 1 < size; i++) {
        const char c = text[i];
        out[at++] = '?';
        if (c > ' ' && c < 0x7F) {
            out[at - 1] = c;
        }
    }
    out[at] = '\0';
    return at;
}

void ahk_proxy_show(const char *url, char *out, size_t size)
{
    AHK_REQUIRE(url != NULL && out != NULL && size > 0);
    const char *colon = strstr(url, "://");
    const size_t scheme = colon != NULL ? (size_t)(colon - url) + 3 : 0;
    const char *at_sign = strrchr(url + scheme, '@');
    const char *host = at_sign != NULL ? at_sign + 1 : url + scheme;
    const size_t at = append(out, size, 0, url, scheme);
    (void)append(out, size, at, host, strcspn(host, "/?#"));
}
