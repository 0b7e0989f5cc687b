/* How a request is sent: the options of libcurl that are the same whoever watches the transfer. */
#ifndef AHK_OPTIONS_H
#define AHK_OPTIONS_H

#include <curl/curl.h>

#include "../base/contract.h"
#include "request.h"

/* The first option that fails decides. */
AHK_MUST_USE CURLcode ahk_options_set(CURL *easy, const ahk_request *request);

#endif
