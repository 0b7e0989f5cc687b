/* What becomes of a request, in a word for the program and in a line for a person. */
#ifndef AHK_VERDICT_H
#define AHK_VERDICT_H

#include "../base/contract.h"
#include "exchange.h"

/* Before anything is sent: AHK_SENT where it may be. */
AHK_MUST_USE ahk_outcome ahk_judge_request(const ahk_request *request, ahk_error *err);

/* After libcurl has ended with `code`, while its handle is still there. Sets the text unless AHK_SENT. */
AHK_MUST_USE ahk_outcome ahk_judge_transfer(const ahk_exchange *exchange, CURLcode code, ahk_error *err);

#endif
