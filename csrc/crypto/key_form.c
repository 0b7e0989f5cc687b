#include "key_form.h"

#include <stdbool.h>

#include "der.h"

enum { NOTHING = -1, ANYTHING = -2 };

static const ahk_key_form_info forms[] = {
    [AHK_FORM_UNKNOWN] = {"no known key format", NULL, AHK_HALF_NONE},
    [AHK_FORM_TRUNCATED] = {"a truncated key", NULL, AHK_HALF_NONE},
    [AHK_FORM_PKCS8] = {"a PKCS#8 private key", "PRIVATE KEY", AHK_HALF_PRIVATE},
    [AHK_FORM_PKCS8_ENCRYPTED] = {"an encrypted PKCS#8 private key", "ENCRYPTED PRIVATE KEY", AHK_HALF_PRIVATE},
    [AHK_FORM_PKCS1_PRIVATE] = {"a PKCS#1 RSA private key", "RSA PRIVATE KEY", AHK_HALF_PRIVATE},
    [AHK_FORM_SEC1] = {"a SEC1 EC private key", "EC PRIVATE KEY", AHK_HALF_PRIVATE},
    [AHK_FORM_SPKI] = {"a SubjectPublicKeyInfo public key", "PUBLIC KEY", AHK_HALF_PUBLIC},
    [AHK_FORM_PKCS1_PUBLIC] = {"a PKCS#1 RSA public key", "RSA PUBLIC KEY", AHK_HALF_PUBLIC},
    [AHK_FORM_CERTIFICATE] = {"an X.509 certificate", "CERTIFICATE", AHK_HALF_PUBLIC},
    [AHK_FORM_CERTIFICATE_REQUEST] = {"a certificate request", "CERTIFICATE REQUEST", AHK_HALF_NONE},
    [AHK_FORM_PKCS12] = {"a PKCS#12 file", NULL, AHK_HALF_NONE},
    [AHK_FORM_PKCS7] = {"a PKCS#7 bundle of certificates", "PKCS7", AHK_HALF_NONE},
};

/* The tags of the first three elements of the outer SEQUENCE give each structure away. */
static const struct {
    int tags[3];
    ahk_key_form form;
} shapes[] = {
    {{AHK_DER_INTEGER, AHK_DER_SEQUENCE, AHK_DER_OCTET_STRING}, AHK_FORM_PKCS8},
    {{AHK_DER_SEQUENCE, AHK_DER_OCTET_STRING, NOTHING}, AHK_FORM_PKCS8_ENCRYPTED},
    {{AHK_DER_INTEGER, AHK_DER_INTEGER, AHK_DER_INTEGER}, AHK_FORM_PKCS1_PRIVATE},
    {{AHK_DER_INTEGER, AHK_DER_OCTET_STRING, ANYTHING}, AHK_FORM_SEC1},
    {{AHK_DER_SEQUENCE, AHK_DER_BIT_STRING, NOTHING}, AHK_FORM_SPKI},
    {{AHK_DER_INTEGER, AHK_DER_INTEGER, NOTHING}, AHK_FORM_PKCS1_PUBLIC},
    {{AHK_DER_SEQUENCE, AHK_DER_SEQUENCE, AHK_DER_BIT_STRING}, AHK_FORM_CERTIFICATE},
    {{AHK_DER_INTEGER, AHK_DER_SEQUENCE, AHK_DER_SEQUENCE}, AHK_FORM_PKCS12},
    {{AHK_DER_INTEGER, AHK_DER_SEQUENCE, NOTHING}, AHK_FORM_PKCS12},
    {{AHK_DER_OID, AHK_DER_CONTEXT_0, NOTHING}, AHK_FORM_PKCS7},
};

/* PKCS#12 comes with lengths that are not definite, too: SEQUENCE, INTEGER 3, SEQUENCE. */
static bool is_streamed_pkcs12(ahk_slice der)
{
    return ahk_slice_starts(der, "\x30\x80\x02\x01\x03\x30");
}

/* A request and a certificate differ within their first part: the fourth of a request's are its attributes. */
static bool is_request(ahk_slice first)
{
    ahk_slice content;
    ahk_slice number;
    ahk_der_element child;
    return ahk_der_take(&first, AHK_DER_SEQUENCE, &content) && ahk_der_take_unsigned(&content, &number) &&
           ahk_der_next(&content, &child) && ahk_der_next(&content, &child) && ahk_der_next(&content, &child) &&
           child.tag == AHK_DER_CONTEXT_0;
}

static ahk_key_form form_of_tags(const int *tags)
{
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        bool same = true;
        for (size_t i = 0; i < 3; i++) {
            same = same && (shapes[s].tags[i] == ANYTHING || shapes[s].tags[i] == tags[i]);
        }
        if (same) {
            return shapes[s].form;
        }
    }
    return AHK_FORM_UNKNOWN;
}

ahk_key_form ahk_key_form_of_der(ahk_slice der)
{
    if (is_streamed_pkcs12(der)) {
        return AHK_FORM_PKCS12;
    }
    ahk_der_element outer;
    if (!ahk_der_next(&der, &outer) || outer.tag != AHK_DER_SEQUENCE) {
        return AHK_FORM_UNKNOWN;
    }
    if (outer.cut) {
        return AHK_FORM_TRUNCATED;
    }
    int tags[3] = {NOTHING, NOTHING, NOTHING};
    ahk_slice children = outer.content;
    ahk_der_element child;
    for (size_t i = 0; i < 3 && ahk_der_next(&children, &child); i++) {
        tags[i] = child.tag;
    }
    const ahk_key_form form = form_of_tags(tags);
    return form == AHK_FORM_CERTIFICATE && is_request(outer.content) ? AHK_FORM_CERTIFICATE_REQUEST : form;
}

static bool is_label(ahk_slice given, const char *label)
{
    for (size_t i = 0; i < given.length; i++) {
        if (ahk_is_space(given.data[i])) {
            continue;
        }
        label += *label == ' ' ? 1 : 0;
        if (*label == '\0' || given.data[i] != (unsigned char)*label) {
            return false;
        }
        label++;
    }
    return *label == '\0';
}

ahk_key_form ahk_key_form_of_label(ahk_slice label)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].label != NULL && is_label(label, forms[i].label)) {
            return (ahk_key_form)i;
        }
    }
    return AHK_FORM_UNKNOWN;
}

const ahk_key_form_info *ahk_key_form_describe(ahk_key_form form)
{
    AHK_REQUIRE((size_t)form < sizeof forms / sizeof forms[0]);
    return &forms[form];
}
