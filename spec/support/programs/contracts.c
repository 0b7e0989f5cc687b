/* contracts CASE: plays a caller within the core that breaks the contract of a function. A build with asserts has to
 * stop it. Linked without Lua and without libcurl. */
#include <stdio.h>
#include <string.h>

#include "../../../csrc/base/utf8.h"
#include "../../../csrc/crypto/codec.h"
#include "../../../csrc/crypto/der.h"
#include "../../../csrc/crypto/ecdsa_form.h"
#include "../../../csrc/crypto/envelope.h"
#include "../../../csrc/crypto/key.h"
#include "../../../csrc/crypto/key_make.h"
#include "../../../csrc/crypto/key_text.h"
#include "../../../csrc/crypto/sign.h"
#include "../../../csrc/http/head.h"
#include "../../../csrc/json/scan.h"
#include "../../../csrc/json/token.h"

static const ahk_slice NO_BYTES = {NULL, 4};

static ahk_slice slice(const char *text)
{
    return (ahk_slice){(const unsigned char *)text, strlen(text)};
}

static bool utf8_without_bytes(void)
{
    return ahk_utf8_sequence((const unsigned char *)"", 0) == 0;
}

static bool slice_behind_its_end(void)
{
    return ahk_slice_from(slice("abc"), 4).length == 0;
}

static bool base64_without_bytes(void)
{
    unsigned char out[4];
    size_t length = 0;
    ahk_error err;
    return ahk_base64_decode(NO_BYTES, out, &length, &err);
}

static bool base64_too_long(void)
{
    char out[AHK_BASE64_SIZE(3)];
    return ahk_base64_encode((ahk_slice){(const unsigned char *)"", AHK_MESSAGE_MAX + 1}, out) == 0;
}

static bool der_without_bytes(void)
{
    ahk_slice rest = NO_BYTES;
    ahk_der_element element;
    return ahk_der_next(&rest, &element);
}

static bool signature_without_room(void)
{
    return ahk_ecdsa_to_p1363(slice("0"), NULL);
}

static bool key_without_half(void)
{
    ahk_error err;
    ahk_key *key = ahk_key_read(AHK_HALF_NONE, slice("key"), (ahk_slice){NULL, 0}, &err);
    ahk_key_free(key);
    return key != NULL;
}

static bool key_text_without_bytes(void)
{
    ahk_key_text text;
    ahk_error err;
    return ahk_key_text_read(&text, AHK_HALF_PRIVATE, slice(""), &err);
}

static bool key_of_another_type(void)
{
    const ahk_key_numbers numbers = {.type = AHK_KEY_EC, .half = AHK_HALF_PUBLIC};
    ahk_error err;
    return ahk_rsa_make(&numbers, &err) != NULL;
}

static bool sign_without_digest(void)
{
    ahk_signature signature;
    ahk_error err;
    return ahk_sign(NULL, slice("message"), (ahk_sign_options){AHK_DIGESTS, AHK_ECDSA_DER}, &signature, &err);
}

static bool seal_without_room(void)
{
    ahk_sealed sealed = {0};
    ahk_error err;
    return ahk_seal(NULL, slice("text"), (ahk_seal_options){AHK_KEY_PADDING_PKCS1, 256}, &sealed, &err);
}

static bool buffer_over_its_maximum(void)
{
    ahk_buffer buffer = {.length = 2, .max = 1};
    return ahk_buffer_append(&buffer, "x", 1);
}

static bool head_not_begun(void)
{
    ahk_head head = {0};
    return ahk_head_take(&head, slice("HTTP/1.1 200 OK\r\n"));
}

/* Without asserts this is refused once more, and nothing else happens. */
static bool head_after_refusal(void)
{
    ahk_head head = {0};
    ahk_head_begin(&head);
    if (ahk_head_take(&head, slice("no status line\r\n"))) {
        (void)printf("taken\n");
    }
    return ahk_head_take(&head, slice("no header\r\n"));
}

static bool json_without_bytes(void)
{
    const ahk_json_options options = {NULL, false};
    ahk_json_report report;
    ahk_error err;
    return ahk_json_scan(NO_BYTES, &options, NULL, &report, &err);
}

static bool number_without_bytes(void)
{
    const unsigned char *text = (const unsigned char *)"";
    bool is_integer = false;
    return ahk_json_number_end(text, text, &is_integer) != NULL;
}

/* Breaks none. */
static bool kept(void)
{
    ahk_head head = {0};
    ahk_head_begin(&head);
    const bool taken = ahk_head_take(&head, slice("HTTP/1.1 200 OK\r\n")) &&
                       ahk_head_take(&head, slice("Name: value\r\n")) && ahk_head_take(&head, slice("\r\n"));
    ahk_head_free(&head);
    return taken;
}

#define CASE(function)                                                                                                 \
    {                                                                                                                  \
#function, function                                                                                            \
    }

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } cases[] = {
        CASE(utf8_without_bytes),
        CASE(slice_behind_its_end),
        CASE(base64_without_bytes),
        CASE(base64_too_long),
        CASE(der_without_bytes),
        CASE(signature_without_room),
        CASE(key_without_half),
        CASE(key_text_without_bytes),
        CASE(key_of_another_type),
        CASE(sign_without_digest),
        CASE(seal_without_room),
        CASE(buffer_over_its_maximum),
        CASE(head_not_begun),
        CASE(head_after_refusal),
        CASE(json_without_bytes),
        CASE(number_without_bytes),
        CASE(kept),
    };
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            return cases[i].run() ? 0 : 1;
        }
    }
    return 2;
}
