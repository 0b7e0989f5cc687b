#include "der.h"

bool ahk_der_next(ahk_slice *rest, ahk_der_element *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(*rest) && out != NULL);
    enum { LONG_FORM = 0x80, LENGTH_OCTETS_MAX = 3 };
    if (rest->length < 2) {
        return false;
    }
    size_t length = rest->data[1];
    size_t header = 2;
    if (length >= LONG_FORM) {
        const size_t octets = length & 0x7F;
        if (octets == 0 || octets > LENGTH_OCTETS_MAX || rest->length < 2 + octets) {
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
    out->content = (ahk_slice){rest->data + header, out->cut ? rest->length - header : length};
    out->whole = (ahk_slice){rest->data, header + out->content.length};
    *rest = ahk_slice_from(*rest, out->whole.length);
    return true;
}

bool ahk_der_take(ahk_slice *rest, int tag, ahk_slice *content)
{
    AHK_REQUIRE(content != NULL);
    ahk_slice after = *rest;
    ahk_der_element element;
    if (!ahk_der_next(&after, &element) || element.tag != tag || element.cut) {
        return false;
    }
    *content = element.content;
    *rest = after;
    return true;
}

bool ahk_der_take_unsigned(ahk_slice *rest, ahk_slice *number)
{
    AHK_REQUIRE(number != NULL);
    ahk_slice after = *rest;
    ahk_slice content;
    if (!ahk_der_take(&after, AHK_DER_INTEGER, &content) || content.length == 0 || content.data[0] >= 0x80) {
        return false;
    }
    while (content.length > 0 && content.data[0] == 0) {
        content = ahk_slice_from(content, 1);
    }
    *number = content;
    *rest = after;
    return true;
}

bool ahk_der_skip(ahk_slice *rest, int tag)
{
    ahk_slice ignored;
    return rest->length == 0 || rest->data[0] != tag || ahk_der_take(rest, tag, &ignored);
}
