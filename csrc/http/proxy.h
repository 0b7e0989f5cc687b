/* Which proxy the environment names, and how a proxy is shown: never with its credentials. */
#ifndef AHK_PROXY_H
#define AHK_PROXY_H

#include <stdbool.h>
#include <stddef.h>

/* The environment variable that names a proxy for https:// (or http://) URLs, as libcurl reads them; NULL: none. */
const char *ahk_proxy_variable(bool is_tls);

/* Whether a proxy's URL is one that libcurl takes to its word: without control characters, raw or percent-encoded (a
 * password read with its line break), for which libcurl would go without the proxy, and say nothing. */
bool ahk_proxy_is_sound(const char *url);

/* What is shown of a URL: scheme, host and port. */
void ahk_proxy_show(const char *url, char *out, size_t size);

#endif
