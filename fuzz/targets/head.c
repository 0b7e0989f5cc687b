/* The head of an answer, line by line: what is believed of it is what it said. Each header that is listed was counted,
 * has a name in lower case, and stands in the input; behind the head nothing is taken for a header, and trailers are
 * counted anew. */
#include "../../csrc/http/head.h"
#include "../support/fuzz.h"

static bool take_line(ahk_head *head, ahk_slice *rest)
{
    const unsigned char *end = memchr(rest->data, '\n', rest->length);
    const size_t length = end != NULL ? (size_t)(end - rest->data) + 1 : rest->length;
    const ahk_slice line = {rest->data, length};
    *rest = ahk_slice_from(*rest, length);
    return ahk_head_take(head, line);
}

static void check_name(ahk_slice name)
{
    FUZZ_REQUIRE(name.length > 0);
    for (size_t i = 0; i < name.length; i++) {
        FUZZ_REQUIRE(name.data[i] != '\n' && name.data[i] != ':' && name.data[i] != '\0');
        FUZZ_REQUIRE(name.data[i] < 'A' || name.data[i] > 'Z');
    }
    FUZZ_REQUIRE(name.data[0] != ' ' && name.data[0] != '\t' && name.data[name.length - 1] != ' ');
}

static void check_headers(const ahk_head *head, ahk_slice input)
{
    ahk_slice lines = {(const unsigned char *)head->lines.data, head->lines.length};
    ahk_slice name;
    ahk_slice value;
    int count = 0;
    while (ahk_head_next(&lines, &name, &value)) {
        check_name(name);
        FUZZ_REQUIRE(!ahk_slice_has(value, '\n') && !ahk_slice_has(value, '\0'));
        FUZZ_REQUIRE(ahk_slice_equal(value, ahk_slice_trim(value)));
        FUZZ_REQUIRE(value.length == 0 || memmem(input.data, input.length, value.data, value.length) != NULL);
        count++;
    }
    FUZZ_REQUIRE(count <= AHK_HEADER_COUNT_MAX && (head->position == AHK_BEHIND_HEAD || count == head->count));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ahk_head head = {.status = 0};
    ahk_slice rest = fuzz_slice(data, size);
    bool taken = true;
    ahk_head_begin(&head);
    while (taken && rest.length > 0 && head.position != AHK_BEHIND_HEAD) {
        taken = take_line(&head, &rest);
    }
    if (taken) {
        FUZZ_REQUIRE(head.status == 0 || (head.status >= 100 && head.status <= 999));
        FUZZ_REQUIRE(head.position != AHK_BEHIND_HEAD || head.status >= 200);
        check_headers(&head, fuzz_slice(data, size));
    }
    const size_t listed = head.lines.length;
    while (taken && rest.length > 0) { /* trailers */
        taken = take_line(&head, &rest);
        FUZZ_REQUIRE(head.lines.length == listed && (!taken || head.count <= AHK_HEADER_COUNT_MAX));
    }
    FUZZ_REQUIRE(taken || head.malformed || head.lines.overflowed);
    ahk_head_free(&head);
    return 0;
}
