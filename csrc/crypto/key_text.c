#include "key_text.h"

#include <openssl/crypto.h>
#include <stdio.h>

#include "key_base64.h"
#include "key_foreign.h"

#define BEGIN "-----BEGIN"
#define END "-----END"
#define DASHES "-----"

enum { LABEL_MAX = 48, DEPTH_MAX = 2 };

/* Bytes of the text's buffer. */
typedef struct {
    unsigned char *data;
    size_t length;
} bytes;

static ahk_slice slice_of(bytes b)
{
    return (ahk_slice){b.data, b.length};
}

/* ---- PEM: the lines around a block -------------------------------------------------------------- */

typedef struct {
    bool begins;
    ahk_slice label;
    size_t start; /* of its first hyphen */
    size_t end;   /* behind its last one */
} boundary;

typedef enum { NO_BOUNDARY, BOUNDARY, DAMAGED_BOUNDARY } found_boundary;

static found_boundary next_boundary(ahk_slice text, size_t from, boundary *out)
{
    const ahk_slice rest = ahk_slice_from(text, from);
    const size_t begin = ahk_slice_find(rest, BEGIN);
    const size_t end = ahk_slice_find(rest, END);
    if (begin == rest.length && end == rest.length) {
        return NO_BOUNDARY;
    }
    out->begins = begin < end;
    out->start = from + (out->begins ? begin : end);
    const size_t label = out->start + strlen(out->begins ? BEGIN : END);
    const ahk_slice after = ahk_slice_from(text, label);
    const size_t length = ahk_slice_find(after, DASHES);
    out->end = label;
    if (length == after.length || length > LABEL_MAX) {
        return DAMAGED_BOUNDARY;
    }
    out->label = ahk_slice_trim((ahk_slice){after.data, length});
    out->end = label + length + strlen(DASHES);
    return BOUNDARY;
}

static size_t count_filler(ahk_slice s)
{
    size_t n = 0;
    while (n < s.length && ahk_key_is_filler(s.data[n])) {
        n++;
    }
    return n;
}

/* Whether `second` is no more than `first` once more. */
static bool is_doubled(ahk_slice text, const boundary *first, const boundary *second)
{
    const ahk_slice between = {text.data + first->end, second->start - first->end};
    return ahk_slice_equal(first->label, second->label) && count_filler(between) == between.length;
}

/* For messages: printable, whatever stands there. */
static const char *show_label(ahk_slice label, char *out)
{
    size_t n = 0;
    for (; n < label.length && n < LABEL_MAX; n++) {
        out[n] = '?';
        if (label.data[n] >= ' ' && label.data[n] < 0x7F) {
            out[n] = (char)label.data[n];
        }
    }
    out[n] = '\0';
    return out;
}

/* ---- PEM: a block ------------------------------------------------------------------------------- */

/* Takes "<name>: <value>" off the front, with the white space around it. */
static bool take_field(ahk_slice *body, const char *name, ahk_slice *value)
{
    *body = ahk_slice_from(*body, count_filler(*body));
    if (!ahk_slice_starts(*body, name)) {
        return false;
    }
    *body = ahk_slice_from(*body, strlen(name));
    *body = ahk_slice_from(*body, count_filler(*body));
    size_t n = 0;
    while (n < body->length && !ahk_key_is_filler(body->data[n])) {
        n++;
    }
    *value = (ahk_slice){body->data, n};
    *body = ahk_slice_from(*body, n);
    return true;
}

/* The two lines of RFC 1421 before the base64 of older encrypted keys, whatever became of their ends. */
static bool take_header(ahk_slice *body, char *header, ahk_error *err)
{
    ahk_slice kind;
    ahk_slice cipher;
    if (!take_field(body, "Proc-Type:", &kind)) {
        return true;
    }
    if (!ahk_slice_is(kind, "4,ENCRYPTED") || !take_field(body, "DEK-Info:", &cipher) ||
        cipher.length > AHK_KEY_HEADER_MAX / 2) {
        return ahk_fail(err, "cannot read the PEM header of the encrypted key (its line breaks may be lost): take "
                             "the file as it was, or convert it with `openssl pkcs8 -topk8 -in FILE -out key.pem`");
    }
    (void)snprintf(header, AHK_KEY_HEADER_MAX, "Proc-Type: 4,ENCRYPTED\nDEK-Info: %.*s\n", (int)cipher.length,
                   (const char *)cipher.data);
    return true;
}

static bool add_block(ahk_key_text *text, ahk_key_form labelled, bytes body, size_t position, ahk_error *err)
{
    if (text->count == AHK_KEY_BLOCKS_MAX) {
        return ahk_fail(err, "holds more than %d keys: leave the one that is meant", AHK_KEY_BLOCKS_MAX);
    }
    ahk_key_block *block = &text->blocks[text->count];
    ahk_slice rest = slice_of(body);
    ahk_error detail = AHK_ERROR_INIT;
    *block = (ahk_key_block){.labelled = labelled};
    if (!take_header(&rest, block->header, err)) {
        return false;
    }
    const size_t skipped = body.length - rest.length;
    block->der = body.data + skipped;
    if (!ahk_key_base64_decode(block->der, rest.length, position + skipped, &block->length, &detail)) {
        return ahk_fail(err, "the base64 of the PEM block \"%s\": %s", ahk_key_form_describe(labelled)->label,
                        detail.text);
    }
    text->count++;
    return true;
}

/* What a PEM text has that is not wanted, for the message. */
typedef struct {
    ahk_key_form other;
    const char *foreign;
    ahk_slice unknown;
} leftovers;

static bool read_block(ahk_key_text *text, ahk_slice label, bytes body, size_t position, leftovers *left,
                       ahk_error *err)
{
    const ahk_key_form labelled = ahk_key_form_of_label(label);
    const ahk_key_half half = ahk_key_form_describe(labelled)->half;
    if (half == text->wanted) {
        return add_block(text, labelled, body, position, err);
    }
    const char *foreign = ahk_foreign_label(label, text->wanted);
    if (half != AHK_HALF_NONE) {
        left->other = labelled;
    } else if (foreign != NULL) {
        left->foreign = foreign;
    } else {
        left->unknown = label;
    }
    return true;
}

static bool fail_without_block(ahk_key_half wanted, const leftovers *left, ahk_error *err)
{
    char label[LABEL_MAX + 1];
    if (left->other != AHK_FORM_UNKNOWN) {
        return ahk_fail(err, "holds %s, but a %s key is expected here", ahk_key_form_describe(left->other)->name,
                        wanted == AHK_HALF_PRIVATE ? "private" : "public");
    }
    if (left->foreign != NULL) {
        return ahk_fail(err, "holds %s", left->foreign);
    }
    return ahk_fail(err, "its PEM blocks hold no key, but \"%s\"", show_label(left->unknown, label));
}

static bool fail_label(const boundary *open, const boundary *closing, ahk_error *err)
{
    char first[LABEL_MAX + 1];
    char second[LABEL_MAX + 1];
    return ahk_fail(err, "the PEM text begins \"%s\", but ends \"%s\"", show_label(open->label, first),
                    show_label(closing->label, second));
}

#define FAIL_TRUNCATED(err) ahk_fail(err, "the PEM text is truncated: it has a BEGIN line and no END line")

static bool read_pem(ahk_key_text *text, bytes pem, ahk_error *err)
{
    const ahk_slice all = slice_of(pem);
    boundary open = {.begins = false};
    boundary closed = {.begins = true};
    boundary next;
    leftovers left = {AHK_FORM_UNKNOWN, NULL, {NULL, 0}};
    found_boundary found = next_boundary(all, 0, &next);
    for (; found == BOUNDARY; found = next_boundary(all, next.end, &next)) {
        if (next.begins) {
            if (open.begins && !is_doubled(all, &open, &next)) {
                return FAIL_TRUNCATED(err);
            }
            open = next;
        } else if (open.begins) {
            const bytes body = {pem.data + open.end, next.start - open.end};
            if (!ahk_slice_equal(open.label, next.label)) {
                return fail_label(&open, &next, err);
            }
            if (!read_block(text, open.label, body, open.end + 1, &left, err)) {
                return false;
            }
            open.begins = false;
            closed = next;
        } else if (closed.begins || !is_doubled(all, &closed, &next)) {
            return ahk_fail(err, "the PEM text has an END line and no BEGIN line, which has five hyphens on each side");
        }
    }
    if (open.begins) {
        return FAIL_TRUNCATED(err);
    }
    if (found == DAMAGED_BOUNDARY) {
        return ahk_fail(err, "the PEM text is damaged: its %s line lacks the five hyphens at its end",
                        next.begins ? "BEGIN" : "END");
    }
    return text->count > 0 || fail_without_block(text->wanted, &left, err);
}

/* ---- what the input is -------------------------------------------------------------------------- */

/* Every DER of a key has a control character among its first bytes, and no text has. */
static bool is_binary(ahk_slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        const unsigned char c = s.data[i];
        if (c < ' ' && !ahk_key_is_filler(c)) {
            return true;
        }
    }
    return false;
}

static bool is_ascii(ahk_slice s)
{
    for (size_t i = 0; i < s.length; i++) {
        if (s.data[i] >= 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_pem(ahk_slice s)
{
    return ahk_slice_find(s, BEGIN) < s.length || ahk_slice_find(s, END) < s.length;
}

static bool read_der(ahk_key_text *text, bytes der, ahk_error *err)
{
    const char *foreign = ahk_foreign_bytes(slice_of(der), text->wanted);
    if (foreign != NULL) {
        return ahk_fail(err, "holds %s", foreign);
    }
    text->blocks[0] = (ahk_key_block){.labelled = AHK_FORM_UNKNOWN, .der = der.data, .length = der.length};
    text->count = 1;
    return true;
}

/* A foreign text is what it is without a byte order mark in front, and without quotes. */
static ahk_slice without_wrapping(ahk_slice s)
{
    if (ahk_slice_starts(s, "\xEF\xBB\xBF")) {
        s = ahk_slice_from(s, 3);
    }
    s = ahk_slice_from(s, count_filler(s));
    while (s.length > 0 && ahk_key_is_filler(s.data[s.length - 1])) {
        s.length--;
    }
    return s;
}

static bool read_text(ahk_key_text *text, bytes input, int depth, ahk_error *err)
{
    ahk_error detail = AHK_ERROR_INIT;
    if (is_pem(slice_of(input))) {
        input.length = ahk_key_unescape(input.data, input.length);
        return read_pem(text, input, err);
    }
    if (is_binary(slice_of(input))) {
        return read_der(text, input, err);
    }
    const ahk_slice trimmed = without_wrapping(slice_of(input));
    if (trimmed.length == 0) {
        return ahk_fail(err, "the key is empty");
    }
    const char *foreign = ahk_foreign_text(trimmed, text->wanted);
    if (foreign != NULL) {
        return ahk_fail(err, "holds %s", foreign);
    }
    const bool has_blanks = ahk_slice_has(trimmed, ' '); /* it is decoded in place */
    input.length = ahk_key_unescape(input.data, input.length);
    if (!ahk_key_base64_decode(input.data, input.length, 1, &input.length, &detail)) {
        return ahk_fail(err, "no key: neither PEM nor DER, and as base64: %s%s", detail.text,
                        has_blanks ? "; blanks stand in it: did each + become one, as decoding a URL does?" : "");
    }
    const ahk_slice decoded = slice_of(input);
    if (depth < DEPTH_MAX && (is_pem(decoded) || (!is_binary(decoded) && is_ascii(decoded)))) {
        return read_text(text, input, depth + 1, err);
    }
    return read_der(text, input, err);
}

bool ahk_key_text_read(ahk_key_text *text, ahk_key_half wanted, ahk_slice input, ahk_error *err)
{
    AHK_REQUIRE(wanted != AHK_HALF_NONE && input.data != NULL && input.length > 0);
    *text = (ahk_key_text){.wanted = wanted};
    text->room = input.length + AHK_KEY_BASE64_ROOM;
    text->bytes = OPENSSL_malloc(text->room);
    if (text->bytes == NULL) {
        return ahk_fail(err, "out of memory");
    }
    memcpy(text->bytes, input.data, input.length);
    return read_text(text, (bytes){text->bytes, input.length}, 0, err);
}

void ahk_key_text_free(ahk_key_text *text)
{
    OPENSSL_clear_free(text->bytes, text->room);
    text->bytes = NULL;
}
