-- What holds for every API of AlipayHK's open platform, as data.
--
-- Confidence marks, here and in the files beside this one: SEEN is on an official page, or in an official SDK for the
-- same family of gateways. INFERRED follows from those and should be confirmed with AlipayHK. Nothing else is here.

return {
  -- On the page of contractCardSync (SEEN); the https scheme is INFERRED. AlipayHK may give a partner other ones.
  environments = {
    production = "https://open.alipay.hk",
    testing = "https://open-id-pre.alipay.com",
  },

  -- The algorithms' names (SEEN) and what they mean. The first one for a key type is the default for such keys. Of
  -- ECC224 only the name is documented: curve, digest and encoding are INFERRED, so the config key `setting` can choose
  -- among `choices`.
  algorithms = {
    { name = "RSA256", key_type = "RSA", digest = "sha256", confidence = "SEEN" },
    {
      name = "ECC224", key_type = "EC", digest = "sha224", encoding = "der", confidence = "INFERRED",
      setting = "ecc224", choices = { digest = { "sha224", "sha256" }, encoding = { "der", "p1363" } },
    },
  },

  -- The body is encrypted with AES and a key of 256 bits, that key with RSA and one of 2048 bits; the result is signed
  -- (SEEN). Mode and paddings are on no page (INFERRED: two independent code bases of the family agree).
  encryption = {
    algorithm = "RSA_AES", key_bits = 256, rsa_bits = 2048, confidence = "SEEN",
    source = { "auto_earn/Encrypt_and_decrypt" },
    mode = "ECB", body_padding = "PKCS#7", key_padding = "pkcs1", inferred = { "mode", "body_padding", "key_padding" },
  },

  -- Two pages contradict each other (both SEEN), so URLs are accepted in either form.
  url_encoding = {
    confidence = "SEEN", source = { "gcmc/apifund", "performance_notification/api-payment_order" },
    note = "The page of the API fundamentals asks for percent-encoded URLs in a body; the samples of the performance "
      .. "notifications have plain ones.",
  },

  -- SEEN.
  content_type = "application/json; charset=UTF-8",

  -- A limit of ours, not of AlipayHK: the largest body in bytes, in either direction. The core can handle a body of
  -- this size when it is encrypted, too.
  body_max = 32 * 1024 * 1024,

  -- The offset of the times that we write. Any will do (SEEN in the family); this is Hong Kong's, as in the samples.
  utc_offset = { seconds = 8 * 3600, text = "+08:00" },

  -- The header with AlipayHK's trace id: all three spellings occur (SEEN).
  tracer_headers = { "tracer-id", "tracerid", "trace-id" },

  -- The fields that identify a request and an order, in payloads and in the answers that repeat them (SEEN).
  identity = { request_id = "requestId", merchant_biz_no = "merchantBizNo" },

  -- Calls from AlipayHK to the merchant (SEEN): the results to answer with, and after how many seconds AlipayHK calls
  -- again, each counted from the call before, until it gets a success. We refuse with the same codes as AlipayHK
  -- (INFERRED).
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

  -- Result codes that any API of the family can give (SEEN on related pages). `retry`: whether a retry is worth it;
  -- true, false, or "later" for one that waits in any case. Without it the status decides: no for F, yes for U and
  -- anything else. `show`: which value of ours the message shows as a help for finding the cause; our own addition.
  -- `about_signature`: it says nothing about the request itself.
  results = {
    SUCCESS = { status = "S", meaning = "success" },
    UNKNOWN_EXCEPTION = { status = "U", retry = true, meaning = "AlipayHK failed; the outcome is unknown" },
    REQUEST_TRAFFIC_EXCEED_LIMIT = { status = "U", retry = "later", meaning = "too many requests: slow down" },
    PROCESS_FAIL = { status = "F", meaning = "AlipayHK could not process it" },
    INVALID_SIGNATURE = {
      status = "F",
      meaning = "AlipayHK cannot verify the signature: is our public key registered for this client_id there?",
      show = "public_key",
      about_signature = true,
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
