/* The core's C without Lua, over an allocator that watches: which allocation fails, and what is in a block
 * when it is freed.
 *
 *     crypto_memory faults  PRIVATE PUBLIC PASSPHRASE   fails each allocation in turn, in all that a key does
 *     crypto_memory secrets PRIVATE PLAIN PASSPHRASE    looks for the numbers of PLAIN (PKCS#8, DER)
 *
 * Prints what it found wrong, a line each, and then how many allocations it was about. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../csrc/crypto/der.h"
#include "../../../csrc/crypto/envelope.h"
#include "../../../csrc/crypto/file.h"
#include "../../../csrc/crypto/key.h"
#include "../../../csrc/crypto/key_der.h"
#include "../../../csrc/crypto/sign.h"

/* ---- the allocator ------------------------------------------------------------------------------ */

typedef struct block {
    struct block *next;
    struct block *before;
    size_t size;
    size_t unused; /* what follows is aligned as malloc aligns */
} block;

enum { SECRETS_MAX = 64, SECRET_BYTES = 16 };

static block blocks = {&blocks, &blocks, 0, 0};
static long allocations;
static long fail_at = -1;
static int fail_on; /* and all that follow */
static unsigned char secrets[SECRETS_MAX][SECRET_BYTES];
static int secret_count;
static int complaints;

static int must_fail(void)
{
    const long at = allocations++;
    return fail_at >= 0 && (at == fail_at || (fail_on && at > fail_at));
}

static int holds_secret(const block *b)
{
    for (int i = 0; i < secret_count; i++) {
        if (memmem(b + 1, b->size, secrets[i], SECRET_BYTES) != NULL) {
            return i + 1;
        }
    }
    return 0;
}

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    block *b = must_fail() ? NULL : malloc(sizeof *b + size);
    if (b == NULL) {
        return NULL;
    }
    *b = (block){blocks.next, &blocks, size, 0};
    blocks.next->before = b;
    blocks.next = b;
    return b + 1;
}

static void give(void *address, const char *file, int line)
{
    if (address == NULL) {
        return;
    }
    block *b = (block *)address - 1;
    const int secret = holds_secret(b);
    if (secret != 0) {
        complaints++;
        printf("secret %d is in a block of %zu bytes that %s:%d frees\n", secret, b->size, file, line);
    }
    b->next->before = b->before;
    b->before->next = b->next;
    free(b);
}

static void *move(void *address, size_t size, const char *file, int line)
{
    if (address == NULL) {
        return take(size, file, line);
    }
    const block *b = (const block *)address - 1;
    void *moved = take(size, file, line);
    if (moved != NULL) {
        memcpy(moved, address, b->size < size ? b->size : size);
        give(address, file, line);
    }
    return moved;
}

static void complain(const char *step, const char *what)
{
    complaints++;
    printf("%s, allocation %ld%s: %s\n", step, fail_at, fail_on ? " and all behind it" : "", what);
}

/* ---- allocations that fail ---------------------------------------------------------------------- */

static const char *private_path, *public_path;
static ahk_slice passphrase;
static ahk_key *private_key, *public_key;
static ahk_signature signature;
static const ahk_slice message = {(const unsigned char *)"message", 7};
static const ahk_slice other = {(const unsigned char *)"massage", 7};
static ahk_sealed sealed;
static char sealed_body[AHK_SEALED_BODY_SIZE(7)];

static ahk_slice bytes_of(const ahk_signature *of)
{
    return (ahk_slice){of->bytes, of->length};
}

static void check_error(const char *step, const ahk_error *err)
{
    if (memchr(err->text, '\0', sizeof err->text) == NULL || err->text[0] == '\0' ||
        strcmp(err->text, "no reason given") == 0) {
        complain(step, "nobody said why");
    }
}

static ahk_key *read_key(ahk_key_half half, const char *path)
{
    ahk_error err;
    memset(&err, 'x', sizeof err);
    ahk_key *key = ahk_key_read_file(half, path, passphrase, &err);
    if (key == NULL) {
        check_error(path, &err);
    }
    return key;
}

static void try_read_private(void)
{
    ahk_key_free(read_key(AHK_HALF_PRIVATE, private_path));
}

static void try_read_public(void)
{
    ahk_key_free(read_key(AHK_HALF_PUBLIC, public_path));
}

static void try_sign(ahk_ecdsa_encoding encoding)
{
    ahk_error err;
    memset(&err, 'x', sizeof err);
    ahk_signature made;
    ahk_sign_options options = ahk_sign_defaults(private_key);
    options.encoding = encoding;
    if (!ahk_sign(private_key, message, options, &made, &err)) {
        check_error("sign", &err);
        return;
    }
    const long failing = fail_at;
    fail_at = -1;
    if (made.length > sizeof made.bytes ||
        ahk_verify(public_key, message, bytes_of(&made), options, &err) != AHK_VALID) {
        complain("sign", "a signature that does not verify");
    }
    fail_at = failing;
}

static void try_sign_der(void)
{
    try_sign(AHK_ECDSA_DER);
}

static void try_sign_p1363(void)
{
    try_sign(AHK_ECDSA_P1363);
}

static void try_verify(ahk_slice text, ahk_verdict right, ahk_verdict wrong)
{
    ahk_error err;
    memset(&err, 'x', sizeof err);
    const ahk_verdict verdict = ahk_verify(public_key, text, bytes_of(&signature), ahk_sign_defaults(public_key), &err);
    if (verdict == wrong || (verdict != right && fail_at < 0)) {
        complain("verify", "the wrong verdict");
    }
    if (verdict == AHK_NOT_VERIFIED) {
        check_error("verify", &err);
    }
}

static void try_verify_good(void)
{
    try_verify(message, AHK_VALID, AHK_INVALID);
}

static void try_verify_bad(void)
{
    try_verify(other, AHK_INVALID, AHK_VALID);
}

static void try_seal(void)
{
    ahk_error err;
    memset(&err, 'x', sizeof err);
    sealed.body = sealed_body;
    if (!ahk_seal(public_key, message, (ahk_seal_options){AHK_KEY_PADDING_PKCS1, 256}, &sealed, &err)) {
        check_error("seal", &err);
    }
}

static void try_open(void)
{
    unsigned char room[AHK_OPENED_SIZE(sizeof sealed_body)];
    ahk_plaintext opened = {room, 0};
    const ahk_envelope envelope = {{(const unsigned char *)sealed.body, sealed.body_length},
                                   {(const unsigned char *)sealed.wrapped_key, sealed.wrapped_key_length}};
    if (ahk_open(private_key, envelope, AHK_KEY_PADDING_PKCS1, &opened) &&
        (opened.length != message.length || memcmp(opened.data, message.data, opened.length) != 0)) {
        complain("open", "another text");
    }
}

static void try_pem_file(void)
{
    ahk_error err;
    memset(&err, 'x', sizeof err);
    if (!ahk_pem_file(private_path, "PRIVATE KEY", &err)) {
        check_error("pem_file", &err);
    }
}

/* Each allocation of one step in turn: alone, and with all that follow. The keys are new each time, so that
 * the first use of one is among it. */
static void fail_each(void (*step)(void))
{
    for (fail_on = 0; fail_on <= 1; fail_on++) {
        long count = 0;
        long n = -1; /* the first time nothing fails, and what a process makes once is made */
        do {
            fail_at = -1;
            private_key = read_key(AHK_HALF_PRIVATE, private_path);
            public_key = read_key(AHK_HALF_PUBLIC, public_path);
            allocations = 0;
            fail_at = n;
            step();
            count = allocations;
            fail_at = -1;
            if (ERR_peek_error() != 0) {
                complain("after it", "the error queue is not empty");
            }
            ahk_key_free(private_key);
            ahk_key_free(public_key);
        } while (n++ < count);
        printf("%ld allocations\n", count);
    }
}

static void faults(void)
{
    ahk_error err;
    private_key = read_key(AHK_HALF_PRIVATE, private_path);
    if (private_key == NULL || !ahk_sign(private_key, message, ahk_sign_defaults(private_key), &signature, &err)) {
        complain("start", "no key to begin with");
        return;
    }
    const int rsa = ahk_key_get_type(private_key) == AHK_KEY_RSA;
    ahk_key_free(private_key);
    fail_each(try_read_private);
    fail_each(try_read_public);
    fail_each(try_sign_der);
    fail_each(rsa ? try_seal : try_sign_p1363);
    fail_each(try_verify_good);
    fail_each(try_verify_bad);
    if (rsa) {
        fail_each(try_open);
    }
    fail_each(try_pem_file);
}

/* ---- secrets that stay behind ------------------------------------------------------------------- */

static void add_secret(const unsigned char *bytes, int reversed)
{
    for (int i = 0; i < SECRET_BYTES; i++) {
        secrets[secret_count][i] = bytes[reversed ? SECRET_BYTES - 1 - i : i];
    }
    secret_count++;
}

/* A part of a number from within, as it stands in a file and as it stands in a BIGNUM. */
static void add_number(ahk_slice number)
{
    enum { WITHIN = 5 };
    if (number.length >= SECRET_BYTES + WITHIN) {
        add_secret(number.data + WITHIN, 0);
        add_secret(number.data + WITHIN, 1);
    }
}

static void use_key(void)
{
    ahk_error err = AHK_ERROR_INIT;
    ahk_signature made;
    private_key = read_key(AHK_HALF_PRIVATE, private_path);
    if (private_key == NULL) {
        complain("secrets", "the key cannot be read");
        return;
    }
    for (int digest = AHK_SHA224; digest < AHK_DIGESTS; digest++) {
        const ahk_sign_options options = {(ahk_digest)digest, AHK_ECDSA_DER};
        if (!ahk_sign(private_key, message, options, &made, &err) ||
            ahk_verify(private_key, message, bytes_of(&made), options, &err) != AHK_VALID) {
            complain("secrets", err.text);
        }
    }
    if (ahk_key_get_type(private_key) == AHK_KEY_RSA) {
        public_key = private_key;
        try_seal();
        try_open();
    }
    ahk_key_free(private_key);
}

static void look_for_secrets(const char *plain_path)
{
    ahk_error err = AHK_ERROR_INIT;
    ahk_file plain;
    ahk_file input;
    ahk_key_numbers numbers;
    if (!ahk_file_read(&plain, plain_path, AHK_KEY_INPUT_MAX, &err) ||
        !ahk_file_read(&input, private_path, AHK_KEY_INPUT_MAX, &err) ||
        !ahk_key_der_read(AHK_FORM_PKCS8, (ahk_slice){plain.data, plain.length}, &numbers, &err)) {
        complain("secrets", err.text);
        return;
    }
    use_key(); /* what a process makes once is made */
    for (int i = AHK_RSA_D; i < AHK_RSA_NUMBERS; i++) {
        add_number(numbers.rsa[i]);
    }
    add_number(numbers.scalar);
    if (passphrase.data != NULL) {
        add_secret(passphrase.data, 0);
    } else if (input.data[0] != AHK_DER_SEQUENCE) {
        add_secret(input.data + input.length / 2, 0); /* a part of the key's text */
    }
    ahk_file_free(&plain);
    ahk_file_free(&input);
    use_key();
    for (const block *b = blocks.next; b != &blocks; b = b->next) {
        if (holds_secret(b) != 0) {
            complain("secrets", "one is in a block that is still there");
        }
    }
    printf("%d secrets\n", secret_count);

    /* That one would be found. */
    const int found = complaints;
    void *copy = OPENSSL_malloc(SECRET_BYTES);
    memcpy(copy, secrets[0], SECRET_BYTES);
    OPENSSL_free(copy);
    complaints = complaints == found + 1 ? found : found + 1;
}

int main(int argc, char **argv)
{
    if (argc != 5 || CRYPTO_set_mem_functions(take, move, give) != 1) {
        return 2;
    }
    private_path = argv[2];
    public_path = argv[3];
    passphrase = (ahk_slice){argv[4][0] != '\0' ? (const unsigned char *)argv[4] : NULL, strlen(argv[4])};
    if (strcmp(argv[1], "faults") == 0) {
        faults();
    } else {
        look_for_secrets(argv[3]);
    }
    printf("%d complaints\n", complaints);
    return complaints > 0;
}
