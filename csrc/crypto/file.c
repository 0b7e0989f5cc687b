#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key_foreign.h"
#include "openssl_error.h"

/* A system's bundle of certificates has a sixteenth of this. */
#define PEM_FILE_MAX ((size_t)4 * 1024 * 1024)

/* ---- reading ------------------------------------------------------------------------------------ */

/* NULL for a regular file. */
static const char *odd_kind(mode_t mode)
{
    if (S_ISREG(mode)) {
        return NULL;
    }
    return S_ISDIR(mode)    ? "is a directory, not a file"
           : S_ISFIFO(mode) ? "is a FIFO, not a regular file"
                            : "is a device, not a regular file"; /* a socket cannot be opened */
}

/* Whether what was given as a path is the text of a key: it must not stand in a message. */
static bool is_key_text(const char *path)
{
    enum { SHORTEST_KEY = 60 };
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-\\ \t\r\n\"'";
    const size_t length = strlen(path);
    if (strstr(path, "-----") != NULL || strpbrk(path, "\r\n") != NULL) {
        return true;
    }
    return length >= SHORTEST_KEY && path[0] != '/' && strspn(path, base64) == length;
}

static bool fail_errno(ahk_error *err, const char *path)
{
    const int code = errno;
    if (is_key_text(path)) {
        return ahk_fail(err,
                        "a text of %zu characters is given where a file's path is expected (the text of a key is "
                        "given as { data = string }; nothing of it is repeated here)",
                        strlen(path));
    }
    return ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), ahk_explain_errno(code).text);
}

/* Fills the file's room, or as much of it as there is. */
static bool read_bytes(int fd, ahk_file *file)
{
    ssize_t n = 1;
    while (file->length < file->room && n != 0) {
        n = read(fd, file->data + file->length, file->room - file->length);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        file->length += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_open_file(int fd, ahk_file *file, const char *path, size_t max, ahk_error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return fail_errno(err, path);
    }
    const char *odd = odd_kind(status.st_mode);
    if (odd != NULL) {
        return ahk_fail(err, AHK_PATH_FORMAT ": %s", AHK_PATH(path), odd);
    }
    if (status.st_size > (off_t)max) {
        return ahk_fail(err, AHK_PATH_FORMAT ": longer than %zu bytes", AHK_PATH(path), max);
    }
    /* Some file systems say 0 whatever there is. One more, to notice that it grows. */
    file->room = (status.st_size > 0 ? (size_t)status.st_size : max) + 1;
    file->data = OPENSSL_malloc(file->room);
    if (file->data == NULL) {
        return ahk_fail(err, AHK_PATH_FORMAT ": out of memory", AHK_PATH(path));
    }
    if (!read_bytes(fd, file)) {
        return fail_errno(err, path);
    }
    return file->length < file->room ||
           ahk_fail(err, AHK_PATH_FORMAT ": it was written to while it was read", AHK_PATH(path));
}

bool ahk_file_read(ahk_file *file, const char *path, size_t max, ahk_error *err)
{
    AHK_REQUIRE(path != NULL && max > 0);
    *file = (ahk_file){NULL, 0, 0};
    /* Nonblocking: opening a FIFO would wait for somebody to write. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return fail_errno(err, path);
    }
    const bool done = read_open_file(fd, file, path, max, err);
    (void)close(fd);
    if (!done) {
        ahk_file_free(file);
    }
    return done;
}

void ahk_file_free(ahk_file *file)
{
    OPENSSL_clear_free(file->data, file->room);
    *file = (ahk_file){NULL, 0, 0};
}

/* ---- PEM for TLS -------------------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end)
{
    const size_t length = strlen(text);
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static bool is_encrypted(const char *label, const char *header)
{
    return strcmp(label, "ENCRYPTED PRIVATE KEY") == 0 || strstr(header, "ENCRYPTED") != NULL;
}

typedef enum { ABSENT, PRESENT, ENCRYPTED, EMPTY, NO_MEMORY } presence;

/* The first block of that label decides. Read by OpenSSL, which is stricter than key_text.c: what it cannot
 * read, no TLS library can. */
static presence find_block(const ahk_file *file, const char *label)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->length);
    const bool private = strcmp(label, "PRIVATE KEY") == 0;
    presence found = ABSENT;
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long length = 0;
    while (bio != NULL && found == ABSENT &&
           PEM_read_bio_ex(bio, &name, &header, &data, &length, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1) {
        if (private ? ends_in(name, label) : strcmp(name, label) == 0) {
            found = private && is_encrypted(name, header) ? ENCRYPTED : PRESENT;
        }
        OPENSSL_secure_free(name); /* "secure" cleanses the line buffers as well */
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(data, (size_t)length);
    }
    /* The end of the text is an error too. Only a block without content ends it without any; and, in some versions,
     * memory that is short. */
    const bool is_told = ERR_peek_error() != 0;
    const bool lacked_memory = ahk_openssl_lacked_memory() || bio == NULL;
    BIO_free(bio);
    if (found != ABSENT) {
        return found;
    }
    return lacked_memory ? NO_MEMORY : is_told ? ABSENT : EMPTY;
}

static bool fail_absent(const ahk_file *file, const char *path, const char *label, ahk_error *err)
{
    const ahk_slice content = {file->data, file->length};
    const ahk_key_half half = strcmp(label, "PRIVATE KEY") == 0 ? AHK_HALF_PRIVATE : AHK_HALF_PUBLIC;
    const char *foreign = ahk_foreign_bytes(content, half);
    if (foreign != NULL) {
        return ahk_fail(err, AHK_PATH_FORMAT ": holds %s", AHK_PATH(path), foreign);
    }
    if (ahk_key_form_describe(ahk_key_form_of_der(content))->half == half) {
        return ahk_fail(err,
                        AHK_PATH_FORMAT ": is DER, but PEM is needed: convert it with `openssl %s -in FILE -out "
                                        "key.pem`",
                        AHK_PATH(path), half == AHK_HALF_PRIVATE ? "pkey -inform DER" : "x509 -inform DER");
    }
    return ahk_fail(err, AHK_PATH_FORMAT ": holds no \"%s\" in PEM, with its BEGIN and END lines on lines of their own",
                    AHK_PATH(path), label);
}

bool ahk_pem_file(const char *path, const char *label, ahk_error *err)
{
    AHK_REQUIRE(path != NULL && label != NULL);
    ahk_file file;
    ERR_clear_error();
    if (!ahk_file_read(&file, path, PEM_FILE_MAX, err)) {
        ERR_clear_error();
        return false;
    }
    const presence found = find_block(&file, label);
    if (found == ABSENT) {
        (void)fail_absent(&file, path, label, err);
    } else if (found == NO_MEMORY) {
        (void)ahk_fail(err, AHK_PATH_FORMAT ": out of memory", AHK_PATH(path));
    } else if (found == EMPTY) {
        (void)ahk_fail(err, AHK_PATH_FORMAT ": a PEM block in it is empty (or memory is short)", AHK_PATH(path));
    } else if (found == ENCRYPTED) {
        (void)ahk_fail(err,
                       AHK_PATH_FORMAT ": is encrypted, and there is nowhere to give a passphrase for TLS: "
                                       "decrypt it with `openssl pkey -in FILE -out key.pem`",
                       AHK_PATH(path));
    }
    ahk_file_free(&file);
    return found == PRESENT;
}
