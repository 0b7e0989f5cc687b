/* The two ways to write an ECDSA signature on P-224: DER, and r and s side by side at full length (IEEE
 * P1363). Strict: each pair of numbers has one text in each form. */
#ifndef AHK_ECDSA_FORM_H
#define AHK_ECDSA_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/slice.h"

enum { AHK_P224_BYTES = 28, AHK_P1363_SIZE = 2 * AHK_P224_BYTES, AHK_ECDSA_DER_MAX = 2 * (AHK_P224_BYTES + 3) + 2 };

bool ahk_ecdsa_is_der(ahk_slice der);

/* Writes AHK_P1363_SIZE bytes; false where it is no DER of a signature. */
AHK_MUST_USE bool ahk_ecdsa_to_p1363(ahk_slice der, unsigned char *out);

/* Writes at most AHK_ECDSA_DER_MAX bytes; gives their count, 0 where `p1363` has another length. */
AHK_MUST_USE size_t ahk_ecdsa_to_der(ahk_slice p1363, unsigned char *out);

#endif
