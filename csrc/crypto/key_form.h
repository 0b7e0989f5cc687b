/* Tells from the bytes alone which of the standard structures they are, so that a mistake can be named
 * ("PKCS#1 under a PKCS#8 label") instead of passed on as an ASN.1 error. */
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
    AHK_FORM_CERTIFICATE,
    /* These hold keys in a way that has to be converted first: see key_foreign.h. */
    AHK_FORM_CERTIFICATE_REQUEST,
    AHK_FORM_PKCS12,
    AHK_FORM_PKCS7
} ahk_key_form;

typedef enum { AHK_HALF_NONE, AHK_HALF_PRIVATE, AHK_HALF_PUBLIC } ahk_key_half;

typedef struct {
    const char *name;  /* for messages */
    const char *label; /* of the PEM block, NULL for none */
    ahk_key_half half; /* NONE for what is no key that can be read */
} ahk_key_form_info;

ahk_key_form ahk_key_form_of_der(ahk_slice der);

/* AHK_FORM_UNKNOWN for a label that is no key's. White space in it is passed over: with a text's line
 * breaks it may have lost its blanks. */
ahk_key_form ahk_key_form_of_label(ahk_slice label);

const ahk_key_form_info *ahk_key_form_describe(ahk_key_form form);

#endif
