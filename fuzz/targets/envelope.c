/* RSA_AES. What is sealed opens to itself; what is opened says the same twice, and when white space is put into it;
 * what cannot be opened leaves nothing behind. The input is the wrapped key, a comma, and the body; what has no comma
 * is a plaintext. */
#include <openssl/err.h>

#include "../../csrc/crypto/envelope.h"
#include "../support/fuzz.h"
#include "../support/keys.h"

static ahk_key *private_key;
static ahk_key *public_key;

static void read_keys(void)
{
    ahk_error err = AHK_ERROR_INIT;
    unsigned char spki[1024];
    FILE *file = fopen("fuzz/corpus/key/rsa.spki.der", "rb");
    const size_t length = file != NULL ? fread(spki, 1, sizeof spki, file) : 0;
    private_key = fuzz_private_key("fuzz/keys/rsa.der");
    public_key = ahk_key_read(AHK_HALF_PUBLIC, fuzz_slice(spki, length), fuzz_slice(NULL, 0), &err);
    FUZZ_REQUIRE(public_key != NULL && fclose(file) == 0);
}

static void check_seal(ahk_slice plaintext)
{
    static const int bits[] = {128, 192, 256};
    ahk_error err = AHK_ERROR_INIT;
    const ahk_seal_options options = {
        .padding = plaintext.length % 2 == 0 ? AHK_KEY_PADDING_PKCS1 : AHK_KEY_PADDING_OAEP,
        .key_bits = bits[plaintext.length % 3],
    };
    ahk_sealed sealed = {.body = fuzz_room(AHK_SEALED_BODY_SIZE(plaintext.length))};
    FUZZ_REQUIRE(ahk_seal(public_key, plaintext, options, &sealed, &err));
    const ahk_envelope in = {
        .body = fuzz_slice(sealed.body, sealed.body_length),
        .wrapped_key = fuzz_slice(sealed.wrapped_key, sealed.wrapped_key_length),
    };
    ahk_plaintext out = {.data = fuzz_room(AHK_OPENED_SIZE(in.body.length))};
    FUZZ_REQUIRE(ahk_open(private_key, in, options.padding, &out));
    FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(out.data, out.length), plaintext));
    free(out.data);
    free(sealed.body);
}

/* A line break behind each so many bytes. The caller frees it. */
static ahk_slice with_breaks(ahk_slice text, size_t line)
{
    unsigned char *broken = fuzz_room(text.length + text.length / line + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.length; i++) {
        broken[n++] = text.data[i];
        if (i % line == line - 1) {
            broken[n++] = '\n';
        }
    }
    return fuzz_slice(broken, n);
}

static bool open_into(ahk_envelope in, ahk_plaintext *out)
{
    const size_t room = AHK_OPENED_SIZE(in.body.length);
    out->data = fuzz_room(room);
    memset(out->data, 0xA5, room);
    const bool opened = ahk_open(private_key, in, AHK_KEY_PADDING_PKCS1, out);
    FUZZ_REQUIRE(opened ? out->length <= room : out->length == 0);
    for (size_t i = 0; !opened && i < room; i++) {
        FUZZ_REQUIRE(out->data[i] == 0);
    }
    return opened;
}

static void check_open(ahk_envelope in)
{
    ahk_plaintext first;
    ahk_plaintext second;
    const ahk_slice body = with_breaks(in.body, 1 + in.body.length % 76);
    const bool opened = open_into(in, &first);
    FUZZ_REQUIRE(open_into((ahk_envelope){.body = body, .wrapped_key = in.wrapped_key}, &second) == opened);
    FUZZ_REQUIRE(ahk_slice_equal(fuzz_slice(first.data, first.length), fuzz_slice(second.data, second.length)));
    free((void *)body.data);
    free(first.data);
    free(second.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ahk_slice input = fuzz_slice(data, size);
    const size_t comma = ahk_slice_find(input, ",");
    if (private_key == NULL) {
        read_keys();
    }
    if (comma < size) {
        check_open((ahk_envelope){.wrapped_key = {data, comma}, .body = ahk_slice_from(input, comma + 1)});
    } else {
        check_seal(input);
    }
    FUZZ_REQUIRE(ERR_peek_error() == 0);
    return 0;
}
