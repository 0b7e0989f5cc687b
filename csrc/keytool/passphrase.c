#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "../crypto/file.h"
#include "../crypto/openssl_error.h"

void ahk_passphrase_cleanse(ahk_passphrase *passphrase)
{
    OPENSSL_cleanse(passphrase, sizeof *passphrase);
    passphrase->length = 0;
}

ahk_slice ahk_passphrase_slice(const ahk_passphrase *passphrase)
{
    return (ahk_slice){(const unsigned char *)passphrase->text, passphrase->length};
}

/* Without one OpenSSL would read standard input, which may be something else. */
static bool has_terminal(void)
{
    const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

ahk_asked ahk_passphrase_ask(ahk_passphrase *passphrase, const char *prompt, ahk_error *err)
{
    AHK_REQUIRE(prompt != NULL);
    enum { INTERRUPTED = -2 };
    ahk_passphrase_cleanse(passphrase);
    if (!has_terminal()) {
        (void)ahk_fail(err, "there is no terminal to ask at");
        return AHK_ASKED_FAILED;
    }
    ERR_clear_error();
    const int asked = EVP_read_pw_string_min(passphrase->text, 0, AHK_PASSPHRASE_ROOM - 1, prompt, 0);
    passphrase->length = strnlen(passphrase->text, sizeof passphrase->text);
    if (asked == INTERRUPTED) {
        ERR_clear_error();
        return AHK_ASKED_INTERRUPTED;
    }
    if (asked != 0) {
        (void)ahk_fail_openssl(err, "the terminal gives no passphrase");
        return AHK_ASKED_FAILED;
    }
    return AHK_ASKED;
}

bool ahk_passphrase_read(ahk_passphrase *passphrase, const char *path, ahk_error *err)
{
    AHK_REQUIRE(path != NULL);
    ahk_file file;
    ahk_passphrase_cleanse(passphrase);
    if (!ahk_file_read(&file, path, AHK_PASSPHRASE_ROOM, err)) {
        return false;
    }
    const ahk_slice content = {file.data, file.length};
    size_t length = ahk_slice_find(content, "\n");
    if (length > 0 && length < content.length && content.data[length - 1] == '\r') {
        length--;
    }
    const bool fits = length < AHK_PASSPHRASE_ROOM;
    if (fits) {
        memcpy(passphrase->text, content.data, length);
        passphrase->length = length;
    } else {
        (void)ahk_fail(err, AHK_PATH_FORMAT ": its first line is longer than %d bytes", AHK_PATH(path),
                       AHK_PASSPHRASE_ROOM - 1);
    }
    ahk_file_free(&file);
    return fits;
}
