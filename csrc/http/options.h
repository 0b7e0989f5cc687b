/* How a request is sent: the options of libcurl that are the same whoever watches the transfer. */
#ifndef AHK_OPTIONS_H
#define AHK_OPTIONS_H

#include <curl/curl.h>

#include "../base/contract.h"
#include "request.h"

/* Sets an option unless an earlier one failed, in a function that has an `easy` and a `code`. */
#define AHK_SETOPT(option, value)                                                                                      \
    do {                                                                                                               \
        if (code == CURLE_OK) {                                                                                        \
            code = curl_easy_setopt(easy, option, value);                                                              \
        }                                                                                                              \
    } while (0)

/* The first option that fails decides. */
AHK_MUST_USE CURLcode ahk_options_set(CURL *easy, const ahk_request *request);

/* A multi handle that keeps at most so many connections; NULL where memory is short. It is the caller's. */
AHK_MUST_USE CURLM *ahk_options_multi(int most_kept);

#endif
