#include "codec.h"

#include <openssl/evp.h>
#include <string.h>

size_t ahk_base64_encode(ahk_slice in, char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && out != NULL);
    AHK_REQUIRE(in.length <= AHK_MESSAGE_MAX);
    return (size_t)EVP_EncodeBlock((unsigned char *)out, in.data, (int)in.length);
}

/* 0..63, or -1. */
static int base64_value(unsigned char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : -1;
}

/* EVP_DecodeBlock is no help here: it skips white space and does not tell padding from data. */
bool ahk_base64_decode(ahk_slice in, unsigned char *out, size_t *out_length, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && out != NULL && out_length != NULL);
    *out_length = 0;
    if (in.length % 4 != 0) {
        return ahk_fail(err, "base64: %zu characters, which is no multiple of 4 (cut off, or padding missing)",
                        in.length);
    }
    size_t padding = 0;
    while (padding < 2 && padding < in.length && in.data[in.length - 1 - padding] == '=') {
        padding++;
    }
    const size_t characters = in.length - padding;
    unsigned int bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < characters; i++) {
        const int value = base64_value(in.data[i]);
        if (value < 0) {
            return ahk_fail(err, "base64: byte 0x%02X at position %zu is not of the alphabet", in.data[i], i + 1);
        }
        bits = (bits << 6 | (unsigned int)value) & 0xFFFFFF;
        if (i % 4 == 3) {
            out[n++] = (unsigned char)(bits >> 16);
            out[n++] = (unsigned char)(bits >> 8);
            out[n++] = (unsigned char)bits;
        }
    }
    const unsigned int unused = padding == 2 ? 0xF : padding == 1 ? 0x3 : 0;
    if ((bits & unused) != 0) {
        return ahk_fail(err, "base64: the unused bits before the padding are not zero");
    }
    if (padding == 2) {
        out[n++] = (unsigned char)(bits >> 4);
    } else if (padding == 1) {
        out[n++] = (unsigned char)(bits >> 10);
        out[n++] = (unsigned char)(bits >> 2);
    }
    *out_length = n;
    return true;
}

size_t ahk_hex_encode(ahk_slice in, char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && out != NULL);
    AHK_REQUIRE(in.length <= AHK_MESSAGE_MAX);
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.length; i++) {
        out[2 * i] = digits[in.data[i] >> 4];
        out[2 * i + 1] = digits[in.data[i] & 0xF];
    }
    return AHK_HEX_SIZE(in.length);
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

size_t ahk_percent_encode(ahk_slice in, char *out)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && out != NULL);
    static const char hex[] = "0123456789ABCDEF";
    AHK_REQUIRE(in.length <= AHK_MESSAGE_MAX);
    size_t n = 0;
    for (size_t i = 0; i < in.length; i++) {
        const size_t first = i;
        while (i < in.length && is_unreserved(in.data[i])) {
            i++;
        }
        if (i > first) {
            memcpy(out + n, in.data + first, i - first);
            n += i - first;
        }
        if (i < in.length) {
            out[n++] = '%';
            out[n++] = hex[in.data[i] >> 4];
            out[n++] = hex[in.data[i] & 0xF];
        }
    }
    return n;
}

/* The base64 waits in the last third of `out`: what is written never reaches what is still to be read. */
size_t ahk_base64_percent_encode(ahk_slice in, char *out)
{
    char *base64 = out + 2 * AHK_BASE64_SIZE(in.length);
    const size_t length = ahk_base64_encode(in, base64);
    return ahk_percent_encode((ahk_slice){(const unsigned char *)base64, length}, out);
}

bool ahk_percent_decode(ahk_slice in, char *out, size_t *out_length, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(in) && out != NULL && out_length != NULL);
    size_t n = 0;
    size_t at = 0;
    *out_length = 0;
    while (at < in.length) {
        const unsigned char *percent = memchr(in.data + at, '%', in.length - at);
        const size_t plain = (percent != NULL ? (size_t)(percent - in.data) : in.length) - at;
        memcpy(out + n, in.data + at, plain);
        n += plain;
        at += plain;
        if (percent == NULL) {
            break;
        }
        const int high = at + 2 < in.length ? ahk_hex_value(in.data[at + 1]) : -1;
        const int low = at + 2 < in.length ? ahk_hex_value(in.data[at + 2]) : -1;
        if (high < 0 || low < 0) {
            return ahk_fail(err, "percent-encoding: %% at position %zu is not followed by two hex digits", at + 1);
        }
        out[n++] = (char)(high << 4 | low);
        at += 3;
    }
    *out_length = n;
    return true;
}

static ahk_pairs_found fail_pairs(ahk_error *err, const char *what)
{
    (void)ahk_fail(err, "header list: %s", what);
    return AHK_PAIRS_MALFORMED;
}

ahk_pairs_found ahk_pairs_next(ahk_slice *rest, ahk_slice *key, ahk_slice *value, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(*rest) && key != NULL && value != NULL);
    if (rest->length == 0) {
        return AHK_PAIRS_END;
    }
    const unsigned char *comma = memchr(rest->data, ',', rest->length);
    const size_t length = comma != NULL ? (size_t)(comma - rest->data) : rest->length;
    const ahk_slice pair = {rest->data, length};
    *rest = ahk_slice_from(*rest, comma != NULL ? length + 1 : length);
    if (comma != NULL && rest->length == 0) {
        return fail_pairs(err, "ends in a comma (cut off?)");
    }

    /* The first `=` splits: raw base64 ends in more of them. */
    const unsigned char *equals = memchr(pair.data, '=', pair.length);
    if (equals == NULL) {
        return fail_pairs(err, "a part without `=` (expected key=value,key=value)");
    }
    const size_t key_length = (size_t)(equals - pair.data);
    *key = ahk_slice_trim((ahk_slice){pair.data, key_length});
    *value = ahk_slice_trim(ahk_slice_from(pair, key_length + 1));
    return key->length > 0 ? AHK_PAIR : fail_pairs(err, "a value without a key (expected key=value,key=value)");
}
