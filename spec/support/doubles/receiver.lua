-- The merchant's side of AlipayHK's calls, for the specs of `client:receive`.

local alipayhk = require "alipayhk"
local calls = require "spec.support.doubles.calls"

local receiver = {
  -- The seconds at which `receiver.client` has its clock stand: 2024-05-22T06:42:21Z.
  NOW = 1716360141,
}

-- A client that AlipayHK calls.
function receiver.client(config)
  local given = {
    client_id = calls.CLIENT_ID,
    base_url = "https://gateway.example",
    private_key = { file = calls.merchant("rsa").private },
    alipay_public_key = { file = calls.alipayhk("rsa").public },
    now = function() return receiver.NOW end,
  }
  for name, value in pairs(config or {}) do given[name] = value end
  return assert(alipayhk.new(given))
end

-- The config that makes it one of ECC224.
function receiver.ecc224(settings)
  return {
    private_key = { file = calls.merchant("p224").private },
    alipay_public_key = { file = calls.alipayhk("p224").public },
    ecc224 = settings,
  }
end

-- The payload of a call that has to be taken.
function receiver.taken(client, call, opts)
  local payload, err = client:receive(call, opts)
  if not payload then error("refused: " .. tostring(err), 2) end
  return payload
end

-- The error of a call that has to be refused with a kind, and where one is given a code. Nothing of the payload
-- comes back, and the error is one readable line.
function receiver.refused(kind, code, client, call, opts)
  local payload, err = client:receive(call, opts)
  local function expect(condition, what)
    if not condition then error(("%s: %s"):format(what, tostring(err)), 3) end
  end
  expect(payload == nil, "it was taken")
  expect((getmetatable(err) or {}).__name == "alipayhk.error", "this is no error of ours")
  expect(err.kind == kind, kind .. " expected, found " .. tostring(err.kind))
  expect(not code or err.code == code, tostring(code) .. " expected, found " .. tostring(err.code))
  expect(err.retryable == false, "it is retryable")
  expect(#err.message > 8 and not err.message:find("table: ", 1, true), "no readable message")
  expect(not tostring(err):find("%c"), "more than one line")
  return err
end

return receiver
