#include "key_der.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "der.h"

#define OID_RSA "\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01"
#define OID_EC "\x2A\x86\x48\xCE\x3D\x02\x01"
#define OID_P224 "\x2B\x81\x04\x00\x21"

/* As data, for P-224's identifier has a NUL byte. */
#define IS_OID(oid, bytes) ahk_slice_equal(oid, (ahk_slice){(const unsigned char *)(bytes), sizeof(bytes) - 1})

static bool fail_damaged(ahk_error *err, ahk_key_form form, const char *where)
{
    return ahk_fail(err, "looks like %s, but is damaged (%s)", ahk_key_form_describe(form)->name, where);
}

/* ---- which algorithm, which curve --------------------------------------------------------------- */

typedef struct {
    ahk_slice oid;
    ahk_slice parameters; /* whole elements, or nothing */
} algorithm;

static bool take_algorithm(ahk_slice *rest, algorithm *out)
{
    ahk_slice content;
    if (!ahk_der_take(rest, AHK_DER_SEQUENCE, &content) || !ahk_der_take(&content, AHK_DER_OID, &out->oid)) {
        return false;
    }
    out->parameters = content;
    return true;
}

/* "<before> <name of the algorithm or curve>; <after>"; "unknown" where OpenSSL has no name. */
static bool fail_named(ahk_error *err, const char *before, ahk_slice oid, const char *after)
{
    enum { HEADER = 2 };
    const unsigned char *whole = oid.data - HEADER; /* an identifier's length takes one octet */
    ASN1_OBJECT *object = d2i_ASN1_OBJECT(NULL, &whole, (long)(oid.length + HEADER));
    const int nid = object != NULL ? OBJ_obj2nid(object) : NID_undef;
    (void)ahk_fail(err, "%s %s; %s", before, nid != NID_undef ? OBJ_nid2sn(nid) : "unknown", after);
    ASN1_OBJECT_free(object);
    return false;
}

static bool check_curve(ahk_slice parameters, ahk_key_half half, ahk_error *err)
{
    ahk_slice ignored;
    ahk_slice oid;
    if (ahk_der_take(&parameters, AHK_DER_OID, &oid)) {
        return IS_OID(oid, OID_P224) ||
               fail_named(err, "the EC key is on curve", oid, "ECC224 needs P-224 (secp224r1)");
    }
    if (ahk_der_take(&parameters, AHK_DER_SEQUENCE, &ignored)) {
        return ahk_fail(err,
                        "the EC key spells out its curve instead of naming it (explicit parameters), which is refused: "
                        "name the curve with `openssl ec -in FILE %s-param_enc named_curve -out key.pem`",
                        half == AHK_HALF_PRIVATE ? "" : "-pubin -pubout ");
    }
    return ahk_fail(err, "the EC key names no curve; ECC224 needs P-224 (secp224r1)");
}

/* ---- the inner structures ----------------------------------------------------------------------- */

static bool read_rsa_public(ahk_slice content, ahk_key_numbers *out)
{
    out->type = AHK_KEY_RSA;
    return ahk_der_take_unsigned(&content, &out->rsa[AHK_RSA_N]) &&
           ahk_der_take_unsigned(&content, &out->rsa[AHK_RSA_E]) && content.length == 0;
}

static bool read_pkcs1(ahk_key_form form, ahk_slice content, ahk_key_numbers *out, ahk_error *err)
{
    ahk_slice version;
    out->type = AHK_KEY_RSA;
    if (!ahk_der_take_unsigned(&content, &version)) {
        return fail_damaged(err, form, "its version");
    }
    if (version.length > 0) {
        return ahk_fail(err, "an RSA key of more than two primes is not supported: make one with two");
    }
    for (int i = 0; i < AHK_RSA_NUMBERS; i++) {
        if (!ahk_der_take_unsigned(&content, &out->rsa[i])) {
            return fail_damaged(err, form, "one of its numbers");
        }
    }
    return content.length == 0 || fail_damaged(err, form, "something follows its numbers");
}

/* `outer` are the parameters of a PKCS#8 around it, NULL for none. */
static bool read_sec1(ahk_key_form form, ahk_slice content, const ahk_slice *outer, ahk_key_numbers *out,
                      ahk_error *err)
{
    ahk_slice version;
    ahk_slice inner = {NULL, 0};
    ahk_slice bits = {NULL, 0};
    ahk_slice tagged;
    out->type = AHK_KEY_EC;
    if (!ahk_der_take_unsigned(&content, &version) || !ahk_der_take(&content, AHK_DER_OCTET_STRING, &out->scalar)) {
        return fail_damaged(err, form, "its secret number");
    }
    if (ahk_der_take(&content, AHK_DER_CONTEXT_0, &tagged)) {
        inner = tagged;
    }
    if (ahk_der_take(&content, AHK_DER_CONTEXT_1, &tagged) &&
        (!ahk_der_take(&tagged, AHK_DER_BIT_STRING, &bits) || bits.length < 2 || bits.data[0] != 0)) {
        return fail_damaged(err, form, "its public half");
    }
    if (content.length > 0) {
        return fail_damaged(err, form, "something follows its parts");
    }
    if (bits.data != NULL) {
        out->point = ahk_slice_from(bits, 1);
    }
    return (outer == NULL || check_curve(*outer, AHK_HALF_PRIVATE, err)) &&
           ((outer != NULL && inner.data == NULL) || check_curve(inner, AHK_HALF_PRIVATE, err));
}

static bool fail_type(ahk_error *err, ahk_slice oid)
{
    return fail_named(err, "a key of type", oid, "RSA (2048 bits or more) or EC on P-224 is expected");
}

static bool read_pkcs8(ahk_slice content, ahk_key_numbers *out, ahk_error *err)
{
    ahk_slice version;
    ahk_slice key;
    ahk_slice inner;
    algorithm found;
    if (!ahk_der_take_unsigned(&content, &version) || !take_algorithm(&content, &found) ||
        !ahk_der_take(&content, AHK_DER_OCTET_STRING, &key)) {
        return fail_damaged(err, AHK_FORM_PKCS8, "its outer parts");
    }
    const bool rsa = IS_OID(found.oid, OID_RSA);
    if (!rsa && !IS_OID(found.oid, OID_EC)) {
        return fail_type(err, found.oid);
    }
    if (!ahk_der_take(&key, AHK_DER_SEQUENCE, &inner) || key.length > 0) {
        return fail_damaged(err, AHK_FORM_PKCS8, "the key within");
    }
    return rsa ? read_pkcs1(AHK_FORM_PKCS8, inner, out, err)
               : read_sec1(AHK_FORM_PKCS8, inner, &found.parameters, out, err);
}

static bool read_spki(ahk_key_form form, ahk_slice content, ahk_key_numbers *out, ahk_error *err)
{
    ahk_slice bits;
    ahk_slice inner;
    algorithm found;
    if (!take_algorithm(&content, &found) || !ahk_der_take(&content, AHK_DER_BIT_STRING, &bits) || bits.length < 2 ||
        bits.data[0] != 0 || content.length > 0) {
        return fail_damaged(err, form, "the parts of its public key");
    }
    bits = ahk_slice_from(bits, 1);
    if (IS_OID(found.oid, OID_EC)) {
        out->type = AHK_KEY_EC;
        out->point = bits;
        return check_curve(found.parameters, AHK_HALF_PUBLIC, err);
    }
    if (!IS_OID(found.oid, OID_RSA)) {
        return fail_type(err, found.oid);
    }
    return (ahk_der_take(&bits, AHK_DER_SEQUENCE, &inner) && bits.length == 0 && read_rsa_public(inner, out)) ||
           fail_damaged(err, form, "the numbers of its public key");
}

/* ---- certificates ------------------------------------------------------------------------------- */

typedef struct {
    ahk_slice issuer;
    ahk_slice subject;
    ahk_slice spki;
} certificate;

static bool read_certificate(ahk_slice content, certificate *out)
{
    ahk_slice ignored;
    ahk_slice fields;
    return ahk_der_take(&content, AHK_DER_SEQUENCE, &fields) &&
           ahk_der_take(&content, AHK_DER_SEQUENCE, &ignored) && /* the signature's algorithm */
           ahk_der_take(&content, AHK_DER_BIT_STRING, &ignored) && content.length == 0 &&
           ahk_der_skip(&fields, AHK_DER_CONTEXT_0) && /* version */
           ahk_der_take(&fields, AHK_DER_INTEGER, &ignored) && ahk_der_take(&fields, AHK_DER_SEQUENCE, &ignored) &&
           ahk_der_take(&fields, AHK_DER_SEQUENCE, &out->issuer) &&
           ahk_der_take(&fields, AHK_DER_SEQUENCE, &ignored) && /* validity */
           ahk_der_take(&fields, AHK_DER_SEQUENCE, &out->subject) &&
           ahk_der_take(&fields, AHK_DER_SEQUENCE, &out->spki);
}

bool ahk_key_der_issued(ahk_slice issuer, ahk_slice subject)
{
    certificate above;
    certificate below;
    ahk_slice content;
    return ahk_der_take(&issuer, AHK_DER_SEQUENCE, &content) && read_certificate(content, &above) &&
           ahk_der_take(&subject, AHK_DER_SEQUENCE, &content) && read_certificate(content, &below) &&
           ahk_slice_equal(above.subject, below.issuer) && !ahk_slice_equal(below.subject, below.issuer);
}

static bool read_certificate_key(ahk_slice content, ahk_key_numbers *out, ahk_error *err)
{
    certificate found;
    if (!read_certificate(content, &found)) {
        return fail_damaged(err, AHK_FORM_CERTIFICATE, "its fields");
    }
    return read_spki(AHK_FORM_CERTIFICATE, found.spki, out, err);
}

bool ahk_key_der_read(ahk_key_form form, ahk_slice der, ahk_key_numbers *out, ahk_error *err)
{
    AHK_REQUIRE(ahk_slice_is_valid(der) && out != NULL);
    ahk_slice content;
    *out = (ahk_key_numbers){.half = ahk_key_form_describe(form)->half};
    if (!ahk_der_take(&der, AHK_DER_SEQUENCE, &content)) {
        return fail_damaged(err, form, "its outermost part");
    }
    if (der.length > 0) {
        return ahk_fail(err, "%zu bytes follow the end of the key", der.length);
    }
    switch (form) {
    case AHK_FORM_PKCS8:
        return read_pkcs8(content, out, err);
    case AHK_FORM_PKCS1_PRIVATE:
        return read_pkcs1(form, content, out, err);
    case AHK_FORM_SEC1:
        return read_sec1(form, content, NULL, out, err);
    case AHK_FORM_SPKI:
        return read_spki(form, content, out, err);
    case AHK_FORM_PKCS1_PUBLIC:
        return read_rsa_public(content, out) || fail_damaged(err, form, "its numbers");
    case AHK_FORM_CERTIFICATE:
        return read_certificate_key(content, out, err);
    case AHK_FORM_PKCS8_ENCRYPTED:
    case AHK_FORM_UNKNOWN:
    case AHK_FORM_TRUNCATED:
    case AHK_FORM_CERTIFICATE_REQUEST:
    case AHK_FORM_PKCS12:
    case AHK_FORM_PKCS7:
    default:
        return ahk_fail(err, "holds %s", ahk_key_form_describe(form)->name);
    }
}
