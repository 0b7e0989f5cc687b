/* contracts CASE: a caller within the core that does not keep to a header's word. A debug build has to stop it. Linked
 * without Lua and without libcurl. */
#include <stdio.h>
#include <string.h>

#include "../../../csrc/base/utf8.h"
#include "../../../csrc/crypto/codec.h"
#include "../../../csrc/crypto/envelope.h"
#include "../../../csrc/crypto/key.h"
#include "../../../csrc/crypto/sign.h"
#include "../../../csrc/http/head.h"
#include "../../../csrc/json/scan.h"

static ahk_slice slice(const char *text)
{
    return (ahk_slice){(const unsigned char *)text, strlen(text)};
}

static bool nothing_left(void)
{
    return ahk_utf8_sequence((const unsigned char *)"", 0) == 0;
}

static bool no_data(void)
{
    unsigned char out[4];
    size_t length = 0;
    ahk_error err;
    return ahk_base64_decode((ahk_slice){NULL, 4}, out, &length, &err);
}

static bool too_long(void)
{
    char out[AHK_BASE64_SIZE(3)];
    return ahk_base64_encode((ahk_slice){(const unsigned char *)"", AHK_MESSAGE_MAX + 1}, out) == 0;
}

static bool no_half(void)
{
    ahk_error err;
    ahk_key *key = ahk_key_read(AHK_HALF_NONE, slice("key"), (ahk_slice){NULL, 0}, &err);
    ahk_key_free(key);
    return key != NULL;
}

static bool no_digest(void)
{
    ahk_signature signature;
    ahk_error err;
    return ahk_sign(NULL, slice("message"), (ahk_sign_options){AHK_DIGESTS, AHK_ECDSA_DER}, &signature, &err);
}

static bool no_room(void)
{
    ahk_sealed sealed = {0};
    ahk_error err;
    return ahk_seal(NULL, slice("text"), (ahk_seal_options){AHK_KEY_PADDING_PKCS1, 256}, &sealed, &err);
}

static bool over_its_cap(void)
{
    ahk_buffer buffer = {.length = 2, .max = 1};
    return ahk_buffer_append(&buffer, "x", 1);
}

static bool after_the_end(void)
{
    ahk_head head = {0};
    ahk_head_begin(&head);
    (void)(ahk_head_take(&head, slice("no status line\r\n")) && printf("taken\n"));
    return ahk_head_take(&head, slice("Name: value\r\n"));
}

static bool no_text(void)
{
    const ahk_json_options options = {NULL, false};
    ahk_json_report report;
    ahk_error err;
    return ahk_json_scan((ahk_slice){NULL, 1}, &options, NULL, &report, &err);
}

/* Keeps to all of them. */
static bool kept(void)
{
    ahk_head head = {0};
    ahk_head_begin(&head);
    const bool taken = ahk_head_take(&head, slice("HTTP/1.1 200 OK\r\n")) &&
                       ahk_head_take(&head, slice("Name: value\r\n")) && ahk_head_take(&head, slice("\r\n"));
    ahk_head_free(&head);
    return taken;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } cases[] = {
        {"nothing_left", nothing_left},   {"no_data", no_data}, {"too_long", too_long},         {"no_half", no_half},
        {"no_digest", no_digest},         {"no_room", no_room}, {"over_its_cap", over_its_cap}, {"no_text", no_text},
        {"after_the_end", after_the_end}, {"kept", kept},
    };
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(argv[1], cases[i].name) == 0) {
            return cases[i].run() ? 0 : 1;
        }
    }
    return 2;
}
