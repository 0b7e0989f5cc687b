-- Signs by the openssl command: independent of the library, and able to make every mistake.

local shell = require "spec.support.shell"

local quote = shell.quote

local signer = {}

-- The signature of a content in base64. `key`: a file; `opts`: `digest` ("sha256"), `sigopt`.
function signer.sign(content, key, opts)
  local file = shell.directory() .. "/content"
  opts = opts or {}
  shell.write(file, content)
  return shell.must(("openssl dgst -%s -sign %s %s -binary %s | openssl base64 -A"):format(opts.digest or "sha256",
    quote(key), opts.sigopt and "-sigopt " .. opts.sigopt or "", quote(file)))
end

function signer.percent_encode(s)
  return (s:gsub("[^A-Za-z0-9_.~-]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- What has to be signed: the fields of a message.
function signer.content(message)
  return ("%s %s%s%s.%s.%s"):format(message.method, message.path, message.line_break or "\n", message.client_id,
    message.time, message.body)
end

-- A raw HTTP request.
function signer.request(message, signature)
  local algorithm = message.algorithm or "RSA256"
  return table.concat({
    ("%s %s HTTP/1.1"):format(message.method, message.path), "Host: open.alipay.hk", "Client-Id: " .. message.client_id,
    "Content-Type: application/json; charset=UTF-8", "Request-Time: " .. message.time,
    ("Signature: algorithm=%s,keyVersion=%s,signature=%s"):format(algorithm, message.version or "1", signature),
    "Content-Length: " .. #message.body, "", message.body,
  }, "\r\n")
end

-- A raw HTTP answer.
function signer.answer(message, signature)
  return table.concat({
    "HTTP/1.1 200 OK", "client-id: " .. message.client_id, "content-type: application/json; charset=UTF-8",
    "response-time: " .. message.time,
    ("signature: algorithm=%s, keyVersion=%s, signature=%s"):format(message.algorithm or "RSA256",
      message.version or "1", signature),
    "content-length: " .. #message.body, "", message.body,
  }, "\r\n")
end

return signer
