/* JSON from outside, before lua-cjson reads it: a text that passes is JSON, and what is made of it passes, too, with
 * nothing left to mend; both passes over it say the same. The way back never writes more than it was given. */
#include "../../csrc/json/scan.h"
#include "../../csrc/json/finish.h"
#include "../support/fuzz.h"

static bool same_report(const ahk_json_report *a, const ahk_json_report *b)
{
    return a->length == b->length && a->is_changed == b->is_changed && a->is_mended == b->is_mended &&
           a->is_marked == b->is_marked && a->has_integer == b->has_integer && a->is_object == b->is_object;
}

/* What was made of a text is JSON. A mark in it is a string of its own when it is read once more. */
static void check_made(ahk_slice made, const ahk_json_options *options, const ahk_json_report *first)
{
    ahk_json_report second;
    ahk_error err = AHK_ERROR_INIT;
    FUZZ_REQUIRE(ahk_json_scan(made, options, NULL, &second, &err));
    FUZZ_REQUIRE(!second.is_mended && second.is_object == first->is_object);
    FUZZ_REQUIRE(first->is_marked || !second.is_changed);
}

static void check_scan(ahk_slice text, const ahk_json_options *options)
{
    ahk_json_report counted;
    ahk_json_report written;
    ahk_error err = AHK_ERROR_INIT;
    if (!ahk_json_scan(text, options, NULL, &counted, &err)) {
        FUZZ_REQUIRE(err.text[0] != '\0');
        return;
    }
    char *out = fuzz_room(counted.length);
    FUZZ_REQUIRE(ahk_json_scan(text, options, out, &written, &err));
    FUZZ_REQUIRE(same_report(&counted, &written));
    FUZZ_REQUIRE(counted.is_changed || ahk_slice_equal(fuzz_slice(out, written.length), text));
    check_made(fuzz_slice(out, written.length), options, &written);
    free(out);
}

static void check_finish(ahk_slice text)
{
    char *out = fuzz_room(text.length);
    FUZZ_REQUIRE(ahk_json_finish(text, out) <= text.length);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ahk_json_options with_integers = {.unique = "result", .has_integers = true};
    const ahk_json_options without = {.unique = NULL, .has_integers = false};
    char *copy = fuzz_room(size);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    check_scan(fuzz_slice(copy, size), &with_integers);
    check_scan(fuzz_slice(copy, size), &without);
    check_finish(fuzz_slice(copy, size));
    free(copy);
    return 0;
}
