/* Walks through DER without copying it: as much ASN.1 as keys and ECDSA signatures are made of. */
#ifndef AHK_DER_H
#define AHK_DER_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/slice.h"

enum {
    AHK_DER_INTEGER = 0x02,
    AHK_DER_BIT_STRING = 0x03,
    AHK_DER_OCTET_STRING = 0x04,
    AHK_DER_NULL = 0x05,
    AHK_DER_OID = 0x06,
    AHK_DER_SEQUENCE = 0x30,
    AHK_DER_CONTEXT_0 = 0xA0,
    AHK_DER_CONTEXT_1 = 0xA1
};

typedef struct {
    int tag;
    ahk_slice content;
    ahk_slice whole; /* with its header */
    bool cut;        /* the content is longer than what is left */
} ahk_der_element;

/* Takes one element off the front of *rest; false where there is none, or its length is not definite or
 * takes more than three octets. */
AHK_MUST_USE bool ahk_der_next(ahk_slice *rest, ahk_der_element *out);

/* The same for a whole element of that tag: its content. False, and *rest as it was, for anything else. */
AHK_MUST_USE bool ahk_der_take(ahk_slice *rest, int tag, ahk_slice *content);

/* The same for an INTEGER that is not negative: its bytes without leading zeros (none for 0). */
AHK_MUST_USE bool ahk_der_take_unsigned(ahk_slice *rest, ahk_slice *number);

/* Drops an element of that tag where there is one. False where it is cut. */
AHK_MUST_USE bool ahk_der_skip(ahk_slice *rest, int tag);

#endif
