/* base64, percent-encoding and `k=v,k=v` lists: what is encoded decodes to itself; what decodes is the one text, or one
 * of the texts, that it can be; a pair lies within the list. */
#include "../../csrc/crypto/codec.h"
#include "../support/fuzz.h"

static void check_base64(ahk_slice input)
{
    ahk_error err = AHK_ERROR_INIT;
    char *text = fuzz_room(AHK_BASE64_SIZE(input.length));
    const size_t length = ahk_base64_encode(input, text);
    unsigned char *back = fuzz_room(AHK_BASE64_DECODED_SIZE(length));
    size_t back_length = 0;
    FUZZ_REQUIRE(ahk_base64_decode(fuzz_slice(text, length), back, &back_length, &err));
    FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(back, back_length), input));
    free(back);
    free(text);
}

/* Strict: no two texts decode to the same bytes. */
static void check_base64_text(ahk_slice input)
{
    ahk_error err = AHK_ERROR_INIT;
    unsigned char *bytes = fuzz_room(AHK_BASE64_DECODED_SIZE(input.length));
    size_t length = 0;
    if (ahk_base64_decode(input, bytes, &length, &err)) {
        char *text = fuzz_room(AHK_BASE64_SIZE(length));
        const size_t text_length = ahk_base64_encode(fuzz_slice(bytes, length), text);
        FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(text, text_length), input));
        free(text);
    }
    free(bytes);
}

static void check_percent(ahk_slice input)
{
    ahk_error err = AHK_ERROR_INIT;
    char *text = fuzz_room(AHK_PERCENT_SIZE(input.length));
    const size_t length = ahk_percent_encode(input, text);
    char *back = fuzz_room(length);
    size_t back_length = 0;
    FUZZ_REQUIRE(ahk_slice_is_visible(fuzz_slice(text, length)));
    FUZZ_REQUIRE(ahk_percent_decode(fuzz_slice(text, length), back, &back_length, &err));
    FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(back, back_length), input));
    free(back);
    free(text);
}

static void check_percent_text(ahk_slice input)
{
    ahk_error err = AHK_ERROR_INIT;
    char *bytes = fuzz_room(input.length);
    size_t length = 0;
    if (ahk_percent_decode(input, bytes, &length, &err)) {
        FUZZ_REQUIRE(length <= input.length);
        check_percent(fuzz_slice(bytes, length));
    }
    free(bytes);
}

/* One after the other, as a header carries a signature, is the same as in one go. */
static void check_both(ahk_slice input)
{
    char *base64 = fuzz_room(AHK_BASE64_SIZE(input.length));
    char *apart = fuzz_room(AHK_BASE64_PERCENT_SIZE(input.length));
    char *at_once = fuzz_room(AHK_BASE64_PERCENT_SIZE(input.length));
    const size_t length = ahk_base64_encode(input, base64);
    const size_t apart_length = ahk_percent_encode(fuzz_slice(base64, length), apart);
    const size_t at_once_length = ahk_base64_percent_encode(input, at_once);
    FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(apart, apart_length), fuzz_slice(at_once, at_once_length)));
    free(at_once);
    free(apart);
    free(base64);
}

static void check_pairs(ahk_slice input)
{
    ahk_error err = AHK_ERROR_INIT;
    ahk_slice rest = input;
    ahk_slice key;
    ahk_slice value;
    ahk_pairs_found found;
    const unsigned char *at = input.data;
    while ((found = ahk_pairs_next(&rest, &key, &value, &err)) == AHK_PAIR) {
        FUZZ_REQUIRE(key.length > 0 && key.data >= at && key.data + key.length < value.data);
        FUZZ_REQUIRE(value.data + value.length <= input.data + input.length);
        FUZZ_REQUIRE(!ahk_slice_has(key, '=') && !ahk_slice_has(key, ',') && !ahk_slice_has(value, ','));
        at = value.data + value.length;
    }
    FUZZ_REQUIRE(found == AHK_PAIRS_MALFORMED || rest.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* An input that is empty may be no memory at all. */
    unsigned char *copy = fuzz_room(size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    const ahk_slice input = fuzz_slice(copy, size);
    check_base64(input);
    check_base64_text(input);
    check_percent(input);
    check_percent_text(input);
    check_both(input);
    check_pairs(input);
    free(copy);
    return 0;
}
