-- The client that answers and calls are for, and its request. AlipayHK's keys are the other ones below fuzz/keys.

local alipayhk = require "alipayhk"
local core = require "alipayhk.core"

local parties = {
  USER_ID = "2160120012345678", -- of the request: no message may have it
  CLIENT_ID = "4Q5Y8W0WSG45P907917",
  CALL_PATH = "/notify?shop=7",
}

local RSA, P224 = { file = "fuzz/corpus/key/rsa.spki.der" }, { file = "fuzz/corpus/key/p224.spki.der" }

-- By how the public keys are given.
local KEYS = {
  single = RSA, -- one for every version
  versions = { ["1"] = RSA, ["2"] = P224 },
}

local clients = {}

function parties.client(keys)
  clients[keys] = clients[keys] or assert(alipayhk.new {
    client_id = parties.CLIENT_ID, environment = "testing", private_key = { file = "fuzz/keys/merchant.der" },
    alipay_public_key = KEYS[keys], transport = function() return nil end,
  })
  return clients[keys]
end

function parties.config(keys)
  return parties.client(keys).config
end

-- The times of a sample are filled in anew, so that it does not grow old; its id stays, for answers repeat it.
local function order()
  local scenario = require "alipayhk.api.order.movie_ticket"
  local copy = {}
  for name, value in pairs(scenario.sample) do copy[name] = value end
  copy.userId, copy.orderModifyTime = parties.USER_ID, nil
  copy.requestId = core.hex_encode(("r"):rep(16))
  return copy
end

parties.request = assert(parties.client("single"):prepare("order", order()))

return parties
