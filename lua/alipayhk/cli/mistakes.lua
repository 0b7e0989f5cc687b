-- The usual mistakes of those who sign and of those who verify, as data. `alipayhk.cli.diagnosis` tries them.
--
-- A mistake has
--
--   name                          for programs
--   vary(subject, about, try)     calls `try(changes, detail)` for each way in which the mistake may have been made:
--                                 `changes` are fields of the subject as they were for who signed
--   say                           what happened and what to do; @ is the detail
--
-- A subject is what a signature is verified over, and with: `{ method, path, client_id, at, body, line_break, encoded,
-- key, digest, scheme }`: `line_break` is the one of the signed content, `encoded` the value that the header has,
-- `key` a key of alipayhk.keytool. `about` is what else is known, see `diagnosis.find`.

local api = require "alipayhk.api"
local json_forms = require "alipayhk.cli.json_forms"
local text = require "alipayhk.base.text"

-- ---- the body --------------------------------------------------------------------------------------------

local function vary_end(subject, _, try)
  local body = subject.body
  for _, ending in ipairs { "\n", "\r\n" } do
    try({ body = body .. ending }, "with a line break at its end that was not sent")
    if body:sub(-#ending) == ending then
      try({ body = body:sub(1, -#ending - 1) }, "without the line break that stands at its end")
    end
  end
  try({ body = body:match("^.*[^ \t\r\n]") or "" }, "without the blanks at its end")
end

local function vary_line_ends(subject, _, try)
  local body = subject.body
  local unix = body:gsub("\r\n", "\n")
  try({ body = unix }, "with LF at the ends of its lines, in place of CRLF")
  try({ body = (unix:gsub("\n", "\r\n")) }, "with CRLF at the ends of its lines, in place of LF")
end

local function vary_content_break(_, _, try)
  try({ line_break = "\r\n" }, "CRLF")
  try({ line_break = "\\n" }, "a backslash and an n")
  try({ line_break = "" }, "nothing")
  try({ line_break = " " }, "a blank")
end

local function vary_json(subject, _, try)
  json_forms.each(subject.body, function(form, words) try({ body = form }, words) end)
end

local function vary_mark(subject, _, try)
  local mark = "\239\187\191"
  if subject.body:sub(1, 3) == mark then
    try({ body = subject.body:sub(4) }, "without the byte order mark in front of it")
  else
    try({ body = mark .. subject.body }, "with a byte order mark in front of it")
  end
end

local function vary_empty(subject, _, try)
  if subject.body ~= "" then try({ body = "" }, "empty") end
end

-- ---- encodings -------------------------------------------------------------------------------------------

local function decoded(s)
  return (s:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function vary_plus(subject, _, try)
  try({ encoded = (subject.encoded:gsub(" ", "+")) }, "the signature")
  try({ at = (subject.at:gsub(" ", "+")) }, "the time")
  try({ at = (subject.at:gsub("%+", " ")) }, "the time that was signed")
  if #subject.body <= 1024 * 1024 then
    try({ body = (subject.body:gsub("%+", " ")) }, "the body that was signed")
    try({ body = decoded((subject.body:gsub("%+", " "))) }, "the body that was signed")
    try({ body = decoded(subject.body) }, "the body that was signed, with its percent-encoding,")
  end
end

-- Decoded once and twice more than it should need.
local function vary_encoding(subject, _, try)
  local once = decoded(subject.encoded)
  try({ encoded = once })
  try({ encoded = decoded(once) })
end

local function vary_alphabet(subject, _, try)
  if not subject.encoded:find("[-_]") then return end
  local standard = decoded(subject.encoded):gsub("[-_]", { ["-"] = "+", ["_"] = "/" }):gsub("=+$", "")
  try({ encoded = standard .. ("="):rep(-#standard % 4) })
end

-- ---- the path --------------------------------------------------------------------------------------------

local PREFIX_MAX = 8 -- parts between slashes

local function vary_prefix(subject, about, try)
  local path, query = subject.path:match("^([^?]*)(.*)$")
  local function try_path(changed)
    if changed ~= path then try({ path = changed .. query }, text.shown(changed .. query, 120)) end
  end
  local rest = path
  for _ = 1, PREFIX_MAX do
    rest = rest:match("^/[^/]*(/.*)$")
    if not rest then break end
    try_path(rest)
  end
  if about.prefix and about.prefix ~= "" then try_path(about.prefix .. path) end
  for _, name in ipairs(api.names) do
    try_path(api.by_name[name].path)
    if about.prefix then try_path(about.prefix .. api.by_name[name].path) end
  end
end

local function vary_host(subject, about, try)
  for _, host in ipairs(about.hosts) do
    for _, before in ipairs { "https://", "http://", "" } do
      try({ path = before .. host .. subject.path }, before .. text.shown(host, 80))
    end
  end
end

local function vary_query(subject, _, try)
  local path, query = subject.path:match("^([^?]*)(%?.*)$")
  if not path then return end
  try({ path = path }, "without the query string")
  try({ path = path .. decoded(query) }, "with its query string decoded")
end

local function vary_slash(subject, _, try)
  local path, query = subject.path:match("^([^?]*)(.*)$")
  try({ path = (path:gsub("/+$", "")) .. query }, "without the slash at its end")
  try({ path = path .. "/" .. query }, "with a slash at its end")
  try({ path = (subject.path:gsub("^/", "")) }, "without its first slash")
end

local function vary_method(subject, _, try)
  try({ method = text.lower(subject.method) }, "in small letters")
  for _, method in ipairs { "POST", "GET", "PUT" } do
    if method ~= subject.method then try({ method = method }, method) end
  end
end

-- ---- times, ids, keys ------------------------------------------------------------------------------------

local function vary_time(subject, about, try)
  for _, time in ipairs(about.times) do
    if time.value ~= subject.at then try({ at = time.value }, time.name) end
  end
end

local function vary_client(subject, about, try)
  for _, client in ipairs(about.clients) do
    if client.id ~= subject.client_id then try({ client_id = client.id }, client.words) end
  end
end

-- A mistake about keys of one sort: see `diagnosis.find`.
local function vary_keys(sort)
  return function(subject, about, try)
    for _, key in ipairs(about.keys) do
      if key.sort == sort and key.tool ~= subject.key then
        try({ key = key.tool, digest = key.digest, scheme = key.scheme }, key.words)
      end
    end
  end
end

-- ---- digests ---------------------------------------------------------------------------------------------

-- Of keys of one type: these digests, in either scheme.
local function vary_digest(key_type, digests, words)
  return function(subject, _, try)
    if subject.key:facts().type ~= key_type then return end
    for _, digest in ipairs(digests) do
      for _, scheme in ipairs { "usual", "other" } do
        try({ digest = digest, scheme = scheme }, words(digest, scheme))
      end
    end
  end
end

local function rsa_words(digest, scheme)
  return scheme == "usual" and digest or digest .. " and PSS"
end

local function ecdsa_words(digest, scheme)
  return ("digest %s, encoding %s"):format(text.lower(digest), scheme == "usual" and "der" or "p1363")
end

-- In the order in which they are tried: of two that both explain it, the first is named.
return {
  {
    name = "key_version", vary = vary_keys "version",
    say = "it verifies with @ of the keys given: the header names another; give each key under its own version",
  },
  {
    name = "own_key", vary = vary_keys "own",
    say = "it verifies with @: that is yours where AlipayHK's belongs. A test double signs with AlipayHK's key, and "
      .. "--public-key names the key that AlipayHK's console shows",
  },
  {
    name = "other_key", vary = vary_keys "other",
    say = "it verifies with @: register the public half of that key for this client id, or sign with the other one",
  },
  {
    name = "client_id", vary = vary_client,
    say = "it verifies with @: a client id and its keys belong to one environment; take both from the same one",
  },
  {
    name = "time_header", vary = vary_time,
    say = "it verifies with the value of @: what is signed is Request-Time in a request, Response-Time in an answer, "
      .. "letter by letter as in the header",
  },
  {
    name = "trailing_newline", vary = vary_end,
    say = "it verifies over the body @: sign and verify the very bytes that are sent. Editors and echo add a line "
      .. "break (printf does not), and curl -d takes them away (--data-binary does not)",
  },
  {
    name = "line_endings", vary = vary_line_ends,
    say = "it verifies over the body @: something between changed them, such as git, an editor or a text mode; treat "
      .. "the body as bytes",
  },
  {
    name = "content_line_break", vary = vary_content_break,
    say = "it verifies with @ between the path and the client id, where one LF belongs (0x0A)",
  },
  {
    name = "byte_order_mark", vary = vary_mark,
    say = "it verifies over the body @: save the file as UTF-8 without a mark",
  },
  {
    name = "empty_body", vary = vary_empty,
    say = "it verifies over a body that is @: the body was signed before it was filled in, or was read by something "
      .. "else first",
  },
  {
    name = "decoded_plus", vary = vary_plus,
    say = "it verifies where @ has + and blanks the other way round: a form decoder or a URL decoder was at it; only "
      .. "%XX is to be decoded, and only in the signature",
  },
  {
    name = "double_encoding", vary = vary_encoding,
    say = "it verifies when the signature is percent-decoded once more: it was encoded twice, by hand and by the HTTP "
      .. "library; encode it once",
  },
  {
    name = "base64url", vary = vary_alphabet,
    say = "it verifies when - and _ in the signature are read as + and /: AlipayHK takes standard base64, "
      .. "percent-encoded, not base64url",
  },
  {
    name = "path_query", vary = vary_query,
    say = "it verifies over the path @: what is signed is the path with its query string, as sent",
  },
  {
    name = "path_prefix", vary = vary_prefix,
    say = "it verifies for the path @: what is signed is the whole path as AlipayHK sees it, with the prefix of "
      .. "base_url; of a call, the path that AlipayHK called, before a proxy rewrote it",
  },
  {
    name = "path_host", vary = vary_host,
    say = "it verifies with @ in front of the path: leave scheme and host out of what is signed",
  },
  {
    name = "path_slash", vary = vary_slash,
    say = "it verifies over the path @: sign it as it is sent",
  },
  {
    name = "method", vary = vary_method,
    say = "it verifies with the method @: what is signed is the method that is sent, in capitals",
  },
  {
    name = "sha1", vary = vary_digest("RSA", { "SHA1" }, rsa_words),
    say = "it verifies with @: RSA256 is SHA-256 with RSA (in Java SHA256withRSA, in OpenSSL -sha256)",
  },
  {
    name = "digest", vary = vary_digest("RSA", { "SHA256", "SHA512", "SHA384", "SHA224", "MD5" }, rsa_words),
    say = "it verifies with @: RSA256 is SHA-256 with RSASSA-PKCS1-v1_5, not PSS",
  },
  {
    name = "ecc224", vary = vary_digest("EC", { "SHA224", "SHA256", "SHA1", "SHA384", "SHA512" }, ecdsa_words),
    say = "it verifies with @: agree on these with AlipayHK, and set them as `ecc224` in the config",
  },
  {
    name = "reserialised", vary = vary_json,
    say = "it verifies over the same JSON written @: the body was parsed and written anew between signing and "
      .. "sending, or before it was verified; keep the bytes, and parse them afterwards",
  },
}
