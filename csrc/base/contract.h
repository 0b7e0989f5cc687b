/* What a function asks of its callers, for the compiler and for debug builds. */
#ifndef AHK_CONTRACT_H
#define AHK_CONTRACT_H

#include <assert.h>

/* The result says whether it was done: it must not be dropped. */
#define AHK_MUST_USE __attribute__((warn_unused_result))

/* What callers within the core have to see to. Input from outside is never checked by it. Debug builds (`make build
 * DEBUG=1`, the sanitizers') abort where it does not hold; others do not look. */
#define AHK_REQUIRE(condition) assert(condition)

#endif
