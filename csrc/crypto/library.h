/* Which libcrypto this module got. A host program that exports OpenSSL's functions (an nginx with an
 * OpenSSL of its own) takes the place of the library that the module was linked with, function by
 * function: parts of two builds work together until they crash. */
#ifndef AHK_LIBRARY_H
#define AHK_LIBRARY_H

#include "../base/contract.h"
#include "../base/error.h"

/* True when every function used here comes from one library whose version fits the headers that this was
 * compiled with. Otherwise the error names the files, and what to build instead. */
AHK_MUST_USE bool ahk_check_libcrypto(ahk_error *err);

#endif
