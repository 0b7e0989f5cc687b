/* What the core's functions ask of their callers within the core: for the compiler, and for builds with asserts. */
#ifndef AHK_CONTRACT_H
#define AHK_CONTRACT_H

#include <assert.h>

/* Whether it was done is in the result: the compiler warns where that is dropped. */
#define AHK_MUST_USE __attribute__((warn_unused_result))

/* A precondition. A broken one is a mistake in the core, never bad input: that gets an error. Builds with ASSERTS=1,
 * and those for the sanitizers, abort on it; all others (NDEBUG) do not check. */
#define AHK_REQUIRE assert

#endif
