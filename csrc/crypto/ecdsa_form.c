#include "ecdsa_form.h"

#include "der.h"

/* The INTEGER on top of *rest, at full length: not negative, nothing in front that could be left out. */
static bool take_number(ahk_slice *rest, unsigned char *out)
{
    ahk_slice number;
    const ahk_slice before = *rest;
    if (!ahk_der_take_unsigned(rest, &number) || number.length > AHK_P224_BYTES) {
        return false;
    }
    const size_t leading = number.length == 0 || number.data[0] >= 0x80 ? 1 : 0;
    if (before.length - rest->length != 2 + leading + number.length) {
        return false;
    }
    memset(out, 0, AHK_P224_BYTES - number.length);
    if (number.length > 0) {
        memcpy(out + AHK_P224_BYTES - number.length, number.data, number.length);
    }
    return true;
}

bool ahk_ecdsa_to_p1363(ahk_slice der, unsigned char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(der) && out != NULL);
    ahk_slice numbers;
    const size_t length = der.length;
    return ahk_der_take(&der, AHK_DER_SEQUENCE, &numbers) && der.length == 0 && length == 2 + numbers.length &&
           take_number(&numbers, out) && take_number(&numbers, out + AHK_P224_BYTES) && numbers.length == 0;
}

bool ahk_ecdsa_is_der(ahk_slice der)
{
    unsigned char ignored[AHK_P1363_SIZE];
    return ahk_ecdsa_to_p1363(der, ignored);
}

static size_t put_number(const unsigned char *number, unsigned char *out)
{
    size_t zeros = 0;
    while (zeros < AHK_P224_BYTES - 1 && number[zeros] == 0) {
        zeros++;
    }
    const size_t leading = number[zeros] >= 0x80 ? 1 : 0;
    const size_t length = AHK_P224_BYTES - zeros;
    out[0] = AHK_DER_INTEGER;
    out[1] = (unsigned char)(leading + length);
    out[2] = 0;
    memcpy(out + 2 + leading, number + zeros, length);
    return 2 + leading + length;
}

size_t ahk_ecdsa_to_der(ahk_slice p1363, unsigned char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(p1363) && out != NULL);
    if (p1363.length != AHK_P1363_SIZE) {
        return 0;
    }
    size_t length = 2;
    length += put_number(p1363.data, out + length);
    length += put_number(p1363.data + AHK_P224_BYTES, out + length);
    out[0] = AHK_DER_SEQUENCE;
    out[1] = (unsigned char)(length - 2);
    return length;
}
