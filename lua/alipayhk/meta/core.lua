---@meta alipayhk.core
-- What `require "alipayhk.core"` gives, the C module, as far as it is meant for users.

---Keys, signatures, RSA_AES and codecs. It needs libcrypto and nothing else of this library. What fails gives `nil` and a
---message; an argument of the wrong type throws.
---@class alipayhk.core
local core = {}

---Reads a private key: PKCS#8, PKCS#1 or SEC1; RSA of 2048 to 8192 bits, or EC on P-224.
---@param source alipayhk.KeySource
---@return alipayhk.Key? key
---@return string? message what is wrong with it
function core.private_key(source) end

---Reads a public key: PKCS#1, SubjectPublicKeyInfo, or that of an X.509 certificate.
---@param source alipayhk.KeySource
---@return alipayhk.Key? key
---@return string? message what is wrong with it
function core.public_key(source) end

---Encrypts a body by RSA_AES: the body under a fresh AES key, that key for its receiver.
---@param plaintext string
---@param public_key alipayhk.Key the receiver's, RSA
---@param opts? { key_padding?: "pkcs1"|"oaep", key_bits?: 128|192|256 } `"pkcs1"` and `256` where they are absent
---@return string? body in base64
---@return string wrapped_key in base64; beside `nil` a message
function core.seal(plaintext, public_key, opts) end

---Opens what `seal` made. Verify its signature first: ECB protects nothing.
---@param body string in base64; white space in it is passed over
---@param wrapped_key string the same
---@param private_key alipayhk.Key RSA
---@param opts? { key_padding?: "pkcs1"|"oaep" } `"pkcs1"` where it is absent
---@return string? plaintext
---@return string? message `"decryption failed"`, whatever the cause
function core.open(body, wrapped_key, private_key, opts) end

---Standard base64 with padding, on one line.
---@param bytes string
---@return string text
function core.base64_encode(bytes) end

---Strict: no white space, and padding is required.
---@param text string
---@return string? bytes
---@return string? message
function core.base64_decode(text) end

---Everything but RFC 3986's unreserved characters as `%XX`, in upper case.
---@param bytes string
---@return string text
function core.percent_encode(bytes) end

---Decodes `%XX` and nothing else: a `+` stays.
---@param text string
---@return string? bytes
---@return string? message
function core.percent_decode(text) end

---Two lower-case digits a byte.
---@param bytes string
---@return string text
function core.hex_encode(bytes) end

---Reads a `key=value,key=value` header: blanks around, any order, each pair split at its first `=`. A key that comes twice
---is refused.
---@param header string at most 16 KiB
---@return table<string, string>? values
---@return string? message
function core.parse_pairs(header) end

---The characters of UTF-8 text.
---@param text string
---@return integer? length
---@return integer? position of the first byte that is not valid
function core.utf8_length(text) end

---Looks into a file of PEM that TLS is to be given.
---@param path string
---@param label "CERTIFICATE"|"PRIVATE KEY" what has to be in it; a private key of any form
---@return true? ok
---@return string? message what is wrong with it
function core.pem_file(path, label) end

---The SHA-256 of bytes.
---@param bytes string
---@return string? digest 32 bytes
---@return string? message
function core.sha256(bytes) end

---Bytes of OpenSSL's generator.
---@param n integer 0 to 65536
---@return string? bytes
---@return string? message
function core.random_bytes(n) end

---The system's clock.
---@return number seconds since the epoch, with fraction
function core.now() end

---A clock that never steps back, for measuring spans.
---@return number seconds with fraction
function core.monotonic() end

---Waits, and blocks the process meanwhile. Not for nginx, which has `ngx.sleep`.
---@param ms number milliseconds
function core.sleep(ms) end

---From now on the first SIGINT or SIGTERM is only noted; each one after it ends the process. Signals that are
---ignored stay so. For programs that want to end what they have begun; not for nginx.
function core.catch_interrupts() end

---Whether a signal was noted.
---@return boolean
function core.interrupted() end

---From now on a write to a pipe that nobody reads fails, as any other may, and no longer ends the process; for programs
---that must note what they have done. Not for nginx, which has done it.
function core.ignore_broken_pipes() end

---A key, read once and used for every signature. It never shows what is secret of it; `tostring` gives its type and size.
---@class alipayhk.Key
local key = {}

---Signs.
---@param message string the bytes, not their digest
---@param opts? alipayhk.SignOptions
---@return string? signature raw bytes
---@return string? message
function key:sign(message, opts) end

---Verifies a signature. A private key verifies with its public half.
---@param message string
---@param signature string raw bytes
---@param opts? alipayhk.SignOptions
---@return boolean? valid `nil` where that could not be found out (memory is short)
---@return string? message
function key:verify(message, signature, opts) end

---@return "RSA"|"EC" type
function key:type() end

---@return integer bits of the modulus or of the field
function key:bits() end

---@return string sha256 of the SubjectPublicKeyInfo, in hex: the same for both halves of a pair
function key:fingerprint() end

---Forgets the key at once; so does collection, and `<close>` in Lua 5.4.
function key:close() end

---@class alipayhk.SignOptions
---@field digest? "sha256"|"sha224" by the key's type where it is absent: SHA-256 for RSA, SHA-224 for EC
---@field encoding? "der"|"p1363" of EC; `"der"` where it is absent

return core
