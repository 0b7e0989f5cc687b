#include "key_foreign.h"

typedef struct {
    const char *mark;
    const char *private_key; /* what to say where a private key is wanted */
    const char *public_key;  /* and where a public one is; NULL for the same */
} foreign;

#define P12_TO_PRIVATE "`openssl pkcs12 -in FILE -nodes -nocerts -out key.pem`"
#define P12_TO_PUBLIC "`openssl pkcs12 -in FILE -clcerts -nokeys -out key.pem`"
#define STORE_TO_P12 "`keytool -importkeystore -srckeystore FILE -destkeystore key.p12 -deststoretype PKCS12`"

#define PKCS12                                                                                                         \
    "a PKCS#12 file (.p12, .pfx): convert it with " P12_TO_PRIVATE,                                                    \
        "a PKCS#12 file (.p12, .pfx): take its certificate with " P12_TO_PUBLIC
#define STORE(name)                                                                                                    \
    "a Java keystore (" name "): convert it with " STORE_TO_P12 " and then `openssl pkcs12 -in key.p12 -nodes "        \
    "-nocerts -out key.pem`",                                                                                          \
        "a Java keystore (" name "): convert it with " STORE_TO_P12 " and then `openssl pkcs12 -in key.p12 "           \
        "-clcerts -nokeys -out key.pem`"
#define OPENSSH_PUBLIC                                                                                                 \
    "an OpenSSH public key, but a private key is expected here: that is the file of the same name without .pub",       \
        "an OpenSSH public key: convert it with `ssh-keygen -e -m PKCS8 -f FILE > key.pem`"
#define JWK(make, type)                                                                                                \
    "a JWK (JSON web key): convert it with `node -e 'console.log(require(\"crypto\")." make                            \
    "({key:JSON.parse(require(\"fs\").readFileSync(\"FILE\")),format:\"jwk\"}).export({type:\"" type                   \
    "\",format:\"pem\"}))' > key.pem`"
#define REQUEST                                                                                                        \
    "a certificate request, which has no private key in it: that is in the file which `openssl req` was given or "     \
    "wrote as its key",                                                                                                \
        "a certificate request: take its public key with `openssl req -in FILE -noout -pubkey -out key.pem`"
#define PKCS7                                                                                                          \
    "a PKCS#7 bundle of certificates (.p7b), which has no private key in it",                                          \
        "a PKCS#7 bundle of certificates (.p7b): convert it with `openssl pkcs7 -in FILE -print_certs -out key.pem`"
#define OPENPGP "an OpenPGP key, which is of no use here: make an RSA key with `openssl genrsa -out key.pem 2048`"
#define PARAMETERS "parameters of a curve or group, but not the key that is made from them"

static const char UTF16[] = "UTF-16 text (an editor or PowerShell saved it so): convert it with "
                            "`iconv -f UTF-16 -t UTF-8 FILE > key.pem`";
static const char UTF16LE[] = "UTF-16 text (an editor or PowerShell saved it so): convert it with "
                              "`iconv -f UTF-16LE -t UTF-8 FILE > key.pem`";
static const char UTF16BE[] = "UTF-16 text: convert it with `iconv -f UTF-16BE -t UTF-8 FILE > key.pem`";
static const char HEX[] =
    "a key in hex: convert it with `tr -d ':[:space:]' < FILE | sed 's/^0x//' | xxd -r -p > key.der`";
static const char WEB_PAGE[] = "a web page (HTML), not a key: perhaps a login page was saved; download the key again";
static const char PATH[] = "a path, not a key: a key from a file is { file = path }";
static const char DAMAGED_PEM[] = "PEM with a damaged BEGIN line, which has five hyphens on each side (word processors "
                                  "make dashes of them)";

/* How a text starts. */
static const foreign starts[] = {
    {"ssh-", OPENSSH_PUBLIC},
    {"ecdsa-sha2-", OPENSSH_PUBLIC},
    {"AAAAB3NzaC1", OPENSSH_PUBLIC}, /* the same without its first word */
    {"---- BEGIN SSH2 PUBLIC KEY", "an SSH2 public key (RFC 4716), but a private key is expected here",
     "an SSH2 public key (RFC 4716): convert it with `ssh-keygen -i -m RFC4716 -f FILE > key.pub && ssh-keygen -e "
     "-m PKCS8 -f key.pub > key.pem`"},
    {"PuTTY-User-Key-File", "a PuTTY key: convert it with `puttygen FILE -O private-openssh -o key.pem`",
     "a PuTTY key: convert it with `puttygen FILE -O public-openssh -o key.pub && ssh-keygen -e -m PKCS8 -f key.pub > "
     "key.pem`"},
    {"<!DOCTYPE", WEB_PAGE, NULL},
    {"<!doctype", WEB_PAGE, NULL},
    {"<html", WEB_PAGE, NULL},
    {"<HTML", WEB_PAGE, NULL},
    {"<RSAKeyValue", "an XML key of .NET: export it as PEM with RSA.ExportPkcs8PrivateKeyPem()",
     "an XML key of .NET: export it as PEM with RSA.ExportSubjectPublicKeyInfoPem()"},
};

/* What a text has somewhere in it. */
static const foreign parts[] = {
    {"\"kty\"", JWK("createPrivateKey", "pkcs8"), JWK("createPublicKey", "spki")},
    {"<html", WEB_PAGE, NULL},
    {"<HTML", WEB_PAGE, NULL},
    {"BEGIN ", DAMAGED_PEM, NULL},
    {"modulus:\n", "what `openssl ... -text -noout` prints, for people to read: leave those two words out", NULL},
    {"Modulus:\n", "what `openssl ... -text -noout` prints, for people to read: leave those two words out", NULL},
    {"pub:\n", "what `openssl ... -text -noout` prints, for people to read: leave those two words out", NULL},
};

/* How a file that is no text starts. */
static const foreign magic[] = {
    {"\xFE\xED\xFE\xED", STORE("JKS")},
    {"\xCE\xCE\xCE\xCE", STORE("JCEKS")},
    {"\xFF\xFE", UTF16, NULL},
    {"\xFE\xFF", UTF16, NULL},
    {"openssh-key-v1", /* what is within its PEM */
     "OpenSSH's own format without its BEGIN and END lines: take the file as ssh-keygen wrote it", NULL},
};

static const foreign labels[] = {
    {"OPENSSH PRIVATE KEY",
     "OpenSSH's own format: convert it with `cp FILE key.pem && chmod 600 key.pem && ssh-keygen -p -m PEM -f key.pem`",
     "a private key in OpenSSH's own format, but a public key is expected here: take it from there with "
     "`ssh-keygen -e -m PKCS8 -f FILE > key.pem`"},
    {"CERTIFICATE REQUEST", REQUEST},
    {"NEW CERTIFICATE REQUEST", REQUEST},
    {"PKCS7", PKCS7},
    {"PKCS #7 SIGNED DATA", PKCS7},
    {"CMS", PKCS7},
    {"TRUSTED CERTIFICATE", "a certificate, but a private key is expected here",
     "a certificate with OpenSSL's own notes: convert it with `openssl x509 -in FILE -out key.pem`"},
    {"PGP PRIVATE KEY BLOCK", OPENPGP, NULL},
    {"PGP PUBLIC KEY BLOCK", OPENPGP, NULL},
    {"EC PARAMETERS", PARAMETERS, NULL},
    {"DH PARAMETERS", PARAMETERS, NULL},
    {"X9.42 DH PARAMETERS", PARAMETERS, NULL},
    {"DSA PARAMETERS", PARAMETERS, NULL},
    {"DSA PRIVATE KEY", "a DSA key; RSA (2048 bits or more) or EC on P-224 is expected", NULL},
};

static const char *message_of(const foreign *row, ahk_key_half wanted)
{
    return wanted == AHK_HALF_PUBLIC && row->public_key != NULL ? row->public_key : row->private_key;
}

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const char *find_start(const foreign *rows, size_t count, ahk_slice s, ahk_key_half wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (ahk_slice_starts(s, rows[i].mark)) {
            return message_of(&rows[i], wanted);
        }
    }
    return NULL;
}

/* DER in hex starts with 30; its base64 never does. */
static bool is_hex(ahk_slice text)
{
    size_t digits = 0;
    if (ahk_slice_starts(text, "0x")) {
        text = ahk_slice_from(text, 2);
    }
    if (!ahk_slice_starts(text, "30")) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        if (ahk_hex_value(text.data[i]) >= 0) {
            digits++;
        } else if (text.data[i] != ':' && !ahk_is_space(text.data[i])) {
            return false;
        }
    }
    return digits % 2 == 0 && digits > 32;
}

static bool ends_in(ahk_slice s, const char *text)
{
    const size_t length = strlen(text);
    return s.length > length && memcmp(s.data + s.length - length, text, length) == 0;
}

/* Neither a key in base64 nor one in PEM can start or end like this. */
static bool is_path(ahk_slice text)
{
    enum { PATH_MAX_LENGTH = 1024 };
    static const char *const first[] = {"/", "./", "../", "~/", "file:", "$HOME/", "\\\\"};
    static const char *const last[] = {".pem", ".key", ".der", ".crt", ".cer", ".p12", ".pfx", ".jks", ".p8", ".txt"};
    if (text.length > PATH_MAX_LENGTH || ahk_slice_has(text, '\n')) {
        return false;
    }
    for (size_t i = 0; i < COUNT(first); i++) {
        if (ahk_slice_starts(text, first[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < COUNT(last); i++) {
        if (ends_in(text, last[i])) {
            return true;
        }
    }
    return text.length > 2 && text.data[1] == ':' && (text.data[2] == '\\' || text.data[2] == '/');
}

const char *ahk_foreign_text(ahk_slice text, ahk_key_half wanted)
{
    AHK_REQUIRE(ahk_slice_is_valid(text) && wanted != AHK_HALF_NONE);
    const char *message = find_start(starts, COUNT(starts), text, wanted);
    for (size_t i = 0; message == NULL && i < COUNT(parts); i++) {
        if (ahk_slice_find(text, parts[i].mark) < text.length) {
            message = message_of(&parts[i], wanted);
        }
    }
    if (message == NULL && is_hex(text)) {
        return HEX;
    }
    return message == NULL && is_path(text) ? PATH : message;
}

/* Text of two bytes a character: every second byte is NUL as far as one looks. */
static bool has_nul_bytes(ahk_slice bytes, size_t at)
{
    enum { LOOKED_AT = 16 };
    if (bytes.length < LOOKED_AT) {
        return false;
    }
    for (size_t i = 0; i < LOOKED_AT; i++) {
        if ((bytes.data[i] == 0) != (i % 2 == at)) {
            return false;
        }
    }
    return true;
}

const char *ahk_foreign_bytes(ahk_slice bytes, ahk_key_half wanted)
{
    AHK_REQUIRE(ahk_slice_is_valid(bytes) && wanted != AHK_HALF_NONE);
    static const foreign forms[] = {{"PKCS12", PKCS12}, {"REQUEST", REQUEST}, {"PKCS7", PKCS7}};
    switch (ahk_key_form_of_der(bytes)) {
    case AHK_FORM_PKCS12:
        return message_of(&forms[0], wanted);
    case AHK_FORM_CERTIFICATE_REQUEST:
        return message_of(&forms[1], wanted);
    case AHK_FORM_PKCS7:
        return message_of(&forms[2], wanted);
    default:
        break;
    }
    if (has_nul_bytes(bytes, 1)) {
        return UTF16LE;
    }
    return has_nul_bytes(bytes, 0) ? UTF16BE : find_start(magic, COUNT(magic), bytes, wanted);
}

const char *ahk_foreign_label(ahk_slice label, ahk_key_half wanted)
{
    AHK_REQUIRE(ahk_slice_is_valid(label) && wanted != AHK_HALF_NONE);
    for (size_t i = 0; i < COUNT(labels); i++) {
        if (ahk_slice_is(label, labels[i].mark)) {
            return message_of(&labels[i], wanted);
        }
    }
    return NULL;
}
