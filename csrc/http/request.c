#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy.h"

static const size_t HEADER_MAX = (size_t)64 * 1024;
static const char HTTPS[] = "https://";
static const char HTTP[] = "http://";

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ahk_request_is_tls(const ahk_request *request)
{
    return has_prefix(request->url, HTTPS);
}

bool ahk_request_is_http(const ahk_request *request)
{
    return ahk_request_is_tls(request) || has_prefix(request->url, HTTP);
}

bool ahk_request_is_one_word(const ahk_request *request)
{
    for (const char *c = request->url; *c != '\0'; c++) {
        if ((*c > '\0' && *c <= ' ') || *c == 0x7F) {
            return false;
        }
    }
    return true;
}

/* Given to libcurl because newer versions of it drop a `?` without a query. */
const char *ahk_request_target(const ahk_request *request)
{
    AHK_REQUIRE(ahk_request_is_http(request));
    const bool is_direct = !request->proxy_environment && request->proxy == NULL;
    const bool is_tls = ahk_request_is_tls(request);
    return is_direct || is_tls ? strchr(request->url + strlen(is_tls ? HTTPS : HTTP), '/') : NULL;
}

const char *ahk_request_proxy(const ahk_request *request)
{
    if (!request->proxy_environment) {
        return request->proxy;
    }
    const char *variable = ahk_proxy_variable(ahk_request_is_tls(request));
    return variable != NULL ? getenv(variable) : NULL;
}

/* ---- request headers --------------------------------------------------------------------------- */

static bool is_token(ahk_slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        const unsigned char c = name.data[i];
        if (c <= ' ' || c >= 0x7F || strchr("()<>@,;:\\\"/[]?={}", c) != NULL) {
            return false;
        }
    }
    return name.length > 0;
}

static bool is_one_line(ahk_slice value)
{
    return !ahk_slice_has(value, '\r') && !ahk_slice_has(value, '\n') && !ahk_slice_has(value, '\0');
}

static bool append_line(struct curl_slist **headers, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*headers, line);
    if (longer == NULL) {
        return false;
    }
    *headers = longer;
    return true;
}

/* "Expect:" without a value: libcurl does not wait for a 100 before it sends the body. */
bool ahk_headers_begin(struct curl_slist **headers)
{
    return *headers != NULL || append_line(headers, "Expect:");
}

/* Whether it may be sent. */
static bool check_header(ahk_slice name, ahk_slice value, ahk_error *err)
{
    if (name.length > HEADER_MAX || value.length > HEADER_MAX) {
        return ahk_fail(err, "header: longer than %zu bytes", HEADER_MAX);
    }
    if (!is_token(name)) {
        return ahk_fail(err, "header name: not a token of HTTP");
    }
    if (!is_one_line(value)) {
        return ahk_fail(err, "header %.*s: CR, LF or NUL in its value", (int)name.length, (const char *)name.data);
    }
    return true;
}

ahk_header_result ahk_headers_add(struct curl_slist **headers, ahk_slice name, ahk_slice value, ahk_error *err)
{
    AHK_REQUIRE(headers != NULL && ahk_slice_is_valid(name) && ahk_slice_is_valid(value));
    if (!check_header(name, value, err)) {
        return AHK_HEADER_REFUSED;
    }
    value = ahk_slice_trim(value); /* libcurl drops a header whose value is blank */
    const size_t room = name.length + value.length + 3;
    char *line = malloc(room);
    if (line == NULL) {
        return AHK_HEADER_NO_MEMORY;
    }
    const char *separator = value.length == 0 ? ";" : ": "; /* `name;` is libcurl's notation for an empty value */
    const int written = snprintf(line, room, "%.*s%s%.*s", (int)name.length, (const char *)name.data, separator,
                                 (int)value.length, (const char *)value.data);
    const bool done = written > 0 && ahk_headers_begin(headers) && append_line(headers, line);
    free(line);
    return done ? AHK_HEADER_TAKEN : AHK_HEADER_NO_MEMORY;
}
