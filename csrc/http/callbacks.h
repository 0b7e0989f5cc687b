/* What libcurl asks and tells while a transfer runs: C only, no Lua. */
#ifndef AHK_CALLBACKS_H
#define AHK_CALLBACKS_H

#include "exchange.h"

/* Sets all options of an exchange's `easy`, those of the request included, and these callbacks. */
AHK_MUST_USE CURLcode ahk_callbacks_set(ahk_exchange *exchange, const ahk_request *request);

#endif
