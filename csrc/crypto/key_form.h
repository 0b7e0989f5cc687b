/* Tells from the bytes alone which of the standard key structures they are, so that a mistake can
 * be named ("PKCS#1 under a PKCS#8 label") instead of passed on as an ASN.1 error. */
#ifndef AHK_KEY_FORM_H
#define AHK_KEY_FORM_H

#include "../base/slice.h"

typedef enum {
    AHK_FORM_UNKNOWN,
    AHK_FORM_TRUNCATED,
    AHK_FORM_PKCS8,
    AHK_FORM_PKCS8_ENCRYPTED,
    AHK_FORM_PKCS1_PRIVATE,
    AHK_FORM_SEC1,
    AHK_FORM_SPKI,
    AHK_FORM_PKCS1_PUBLIC,
    AHK_FORM_CERTIFICATE
} ahk_key_form;

typedef enum { AHK_HALF_NONE, AHK_HALF_PRIVATE, AHK_HALF_PUBLIC } ahk_key_half;

typedef struct {
    const char *name;  /* for messages */
    const char *label; /* of the PEM block, NULL for none */
    ahk_key_half half;
} ahk_key_form_info;

ahk_key_form ahk_key_form_of_der(ahk_slice der);

/* AHK_FORM_UNKNOWN for a label that is no key's. */
ahk_key_form ahk_key_form_of_label(const char *label);

const ahk_key_form_info *ahk_key_form_describe(ahk_key_form form);

#endif
