#include "key_form.h"

#include <stdbool.h>
#include <string.h>

enum { INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04, SEQUENCE = 0x30, NOTHING = -1, ANYTHING = -2 };

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
};

/* The tags of the first three elements of the outer SEQUENCE give each structure away. */
static const struct {
    int tags[3];
    ahk_key_form form;
} shapes[] = {
    {{INTEGER, SEQUENCE, OCTET_STRING}, AHK_FORM_PKCS8},
    {{SEQUENCE, OCTET_STRING, NOTHING}, AHK_FORM_PKCS8_ENCRYPTED},
    {{INTEGER, INTEGER, INTEGER}, AHK_FORM_PKCS1_PRIVATE},
    {{INTEGER, OCTET_STRING, ANYTHING}, AHK_FORM_SEC1},
    {{SEQUENCE, BIT_STRING, NOTHING}, AHK_FORM_SPKI},
    {{INTEGER, INTEGER, NOTHING}, AHK_FORM_PKCS1_PUBLIC},
    {{SEQUENCE, SEQUENCE, BIT_STRING}, AHK_FORM_CERTIFICATE},
};

typedef struct {
    int tag;
    ahk_slice content;
    bool cut; /* the content is longer than what is left */
} element;

/* Takes one DER element off the front of *rest; false where there is none. */
static bool next_element(ahk_slice *rest, element *out)
{
    if (rest->length < 2) {
        return false;
    }
    size_t length = rest->data[1];
    size_t header = 2;
    if (length >= 0x80) {
        const size_t octets = length & 0x7F;
        if (octets == 0 || octets > 3 || rest->length < 2 + octets) {
            return false;
        }
        length = 0;
        for (size_t i = 0; i < octets; i++) {
            length = length << 8 | rest->data[2 + i];
        }
        header += octets;
    }
    out->tag = rest->data[0];
    out->cut = length > rest->length - header;
    out->content.data = rest->data + header;
    out->content.length = out->cut ? rest->length - header : length;
    rest->data = out->content.data + out->content.length;
    rest->length -= header + out->content.length;
    return true;
}

ahk_key_form ahk_key_form_of_der(ahk_slice der)
{
    element outer;
    if (!next_element(&der, &outer) || outer.tag != SEQUENCE) {
        return AHK_FORM_UNKNOWN;
    }
    if (outer.cut) {
        return AHK_FORM_TRUNCATED;
    }
    int tags[3] = {NOTHING, NOTHING, NOTHING};
    element child;
    for (size_t i = 0; i < 3 && next_element(&outer.content, &child); i++) {
        tags[i] = child.tag;
    }
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

ahk_key_form ahk_key_form_of_label(const char *label)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].label != NULL && strcmp(forms[i].label, label) == 0) {
            return (ahk_key_form)i;
        }
    }
    return AHK_FORM_UNKNOWN;
}

const ahk_key_form_info *ahk_key_form_describe(ahk_key_form form)
{
    return &forms[form];
}
