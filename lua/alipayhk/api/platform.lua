-- What AlipayHK's open platform says about every API, as data.
--
-- Confidence marks, here and in the files beside this one: SEEN stands on an official page or in an
-- official SDK of the same gateway family; INFERRED follows from those and is to be confirmed with
-- AlipayHK. What nobody has seen is not here.

return {
  -- Printed for contractCardSync (SEEN); the https scheme is INFERRED. Partners may be given others.
  environments = {
    production = "https://open.alipay.hk",
    testing = "https://open-id-pre.alipay.com",
  },

  -- Names of algorithms (SEEN) and what they stand for; of several with one key type the first is the default. Of
  -- ECC224 only the name is documented: curve, digest and encoding are INFERRED, so the config's table `ecc224` may
  -- choose.
  algorithms = {
    { name = "RSA256", key_type = "RSA", digest = "sha256", confidence = "SEEN" },
    {
      name = "ECC224", key_type = "EC", digest = "sha224", encoding = "der", confidence = "INFERRED",
      setting = "ecc224", choices = { digest = { "sha224", "sha256" }, encoding = { "der", "p1363" } },
    },
  },

  -- The body under AES with a key of 256 bits, that key under RSA with one of 2048; encrypted first, then signed
  -- (SEEN). Mode and paddings are on no page (INFERRED: two independent code bases of the family agree).
  encryption = {
    algorithm = "RSA_AES", key_bits = 256, rsa_bits = 2048, confidence = "SEEN",
    source = { "auto_earn/Encrypt_and_decrypt" },
    mode = "ECB", body_padding = "PKCS#7", key_padding = "pkcs1", inferred = { "mode", "body_padding", "key_padding" },
  },

  -- Two pages that do not agree (SEEN, both): URLs are taken in either form.
  url_encoding = {
    confidence = "SEEN", source = { "gcmc/apifund", "performance_notification/api-payment_order" },
    note = "The page of the API fundamentals asks for percent-encoded URLs in a body; the samples of the performance "
      .. "notifications have plain ones.",
  },

  -- SEEN.
  content_type = "application/json; charset=UTF-8",

  -- Ours, no fact of AlipayHK's: no body is larger, in either direction, so that the core takes it
  -- also encrypted.
  body_max = 32 * 1024 * 1024,

  -- Any offset will do (SEEN in the family); this is Hong Kong's, as in the documents' samples.
  utc_offset = { seconds = 8 * 3600, text = "+08:00" },

  -- All three spellings of the trace id occur (SEEN).
  tracer_headers = { "tracer-id", "tracerid", "trace-id" },

  -- The fields that identify a request and an order, in payloads and in the answers that repeat them (SEEN).
  identity = { request_id = "requestId", merchant_biz_no = "merchantBizNo" },

  -- Calls from AlipayHK to the merchant (SEEN): what to answer, and after how many seconds each it calls again
  -- until it gets a success. Refusals have the codes by which AlipayHK refuses ours (INFERRED).
  inbound = {
    success = { resultCode = "SUCCESS", resultStatus = "S", resultMessage = "success" },
    call_again = { resultCode = "UNKNOWN_EXCEPTION", resultStatus = "U", resultMessage = "unknown exception" },
    not_alipayhk = {
      resultCode = "INVALID_SIGNATURE", resultStatus = "F", resultMessage = "the signature is not valid",
    },
    unreadable = {
      resultCode = "PARAM_ILLEGAL", resultStatus = "F",
      resultMessage = "the body is no JSON object, or cannot be decrypted",
    },
    resent_after_s = { 120, 600, 600, 3600, 7200, 21600, 54000 },
  },

  -- Result codes that any API of the family can give (SEEN on sister pages). `retry` says what to do
  -- by default: true, false, or "later" for a retry that waits first. Where a code has no entry, the
  -- status decides: F no, U and anything else yes. `show` names what of ours the message then shows (our own idea).
  results = {
    SUCCESS = { status = "S", meaning = "success" },
    UNKNOWN_EXCEPTION = { status = "U", retry = true, meaning = "AlipayHK failed; the outcome is unknown" },
    REQUEST_TRAFFIC_EXCEED_LIMIT = { status = "U", retry = "later", meaning = "too many requests: slow down" },
    PROCESS_FAIL = { status = "F", meaning = "AlipayHK could not process it" },
    INVALID_SIGNATURE = {
      status = "F",
      meaning = "AlipayHK cannot verify the signature: is our public key registered for this client_id there?",
      show = "public_key",
    },
    INVALID_CLIENT = { status = "F", meaning = "AlipayHK does not know this client_id" },
    INVALID_API = { status = "F", meaning = "AlipayHK does not know this path: is base_url right?", show = "path" },
    ACCESS_DENIED = { status = "F", meaning = "this client_id may not call this API" },
    OAUTH_FAIL = { status = "F", meaning = "AlipayHK refused the Agent-Token" },
    METHOD_NOT_SUPPORTED = { status = "F", meaning = "AlipayHK expects another HTTP method" },
    MEDIA_TYPE_NOT_ACCEPTABLE = { status = "F", meaning = "AlipayHK refuses the Content-Type" },
    REPEAT_REQ_INCONSISTENT = { status = "F", meaning = "this requestId was used before with another content" },
  },
}
