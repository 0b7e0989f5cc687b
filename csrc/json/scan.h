/* JSON from outside, looked at once before a parser reads it. The parser at hand (lua-cjson) knows doubles alone, stops
 * at a NUL, takes what no JSON is, refuses a text for half an emoji, and asks the locale for the decimal point. So a
 * text is checked here against RFC 8259, and rewritten where that parser would not give what it says:
 *
 * - a byte order mark before it is left out; half a surrogate pair, and bytes that are no UTF-8, become U+FFFD;
 * - a control character in a string (but for NUL) is escaped, as it had to be;
 * - a number that the parser would read otherwise becomes a string that begins with AHK_JSON_MARK (see there).
 *
 * The parser has then to run in the C locale: in another it may read the "10,25" of a list as one number.
 * No Lua, no allocation, no locale here. */
#ifndef AHK_JSON_SCAN_H
#define AHK_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/contract.h"
#include "../base/error.h"
#include "../base/slice.h"

/* U+FDD0, which is no character and never will be. A string that begins with it stands for something else: behind it
 * comes AHK_JSON_INTEGER and digits, AHK_JSON_FLOAT and a number, AHK_JSON_DIGITS and digits that stay a string; or the
 * mark once more, in front of a string that really begins with it. */
#define AHK_JSON_MARK "\xEF\xB7\x90"
#define AHK_JSON_MARK_LENGTH (sizeof AHK_JSON_MARK - 1)

enum { AHK_JSON_INTEGER = 'i', AHK_JSON_FLOAT = 'f', AHK_JSON_DIGITS = 'd' };

enum {
    AHK_JSON_DEPTH_MAX = 32,
    AHK_JSON_KEYS_MAX = 64 /* of the object that may have no key twice */
};

typedef struct {
    const char *unique; /* a member of the outermost object: may come once, and so each key in it; NULL for none */
    bool has_integers;  /* this Lua has integers of 64 bits beside its doubles */
} ahk_json_options;

typedef struct {
    size_t length;   /* of the text for the parser */
    bool is_changed; /* that is not the text given */
    bool is_mended;  /* something in it stands for what JSON may not have */
    bool is_marked;  /* strings in it begin with the mark */
    bool has_integer;
    bool is_object;
} ahk_json_report;

/* Writes the text for the parser to `out`, report->length bytes of it; out is NULL to learn that length. False, and
 * where and why, for what is no JSON, is nested deeper than AHK_JSON_DEPTH_MAX, or has a key twice that may come once.
 */
AHK_MUST_USE bool ahk_json_scan(ahk_slice text, const ahk_json_options *options, char *out, ahk_json_report *report,
                                ahk_error *err);

#endif
