-- An answer of AlipayHK's to an order, signed beforehand. It stays good for every request: all of a request that is
-- signed with it is its path and the client's id.

local algorithms = require "alipayhk.exchange.algorithms"
local api = require "alipayhk.api"
local wire = require "alipayhk.exchange.wire"

local answer = {}

answer.SUCCESS = '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'

-- Gives the values of `Response-Time` and `Signature`. `key`: AlipayHK's private key; `seconds`: the time, now when
-- absent.
function answer.sign(key, client_id, body, seconds)
  local signing = { algorithm = algorithms.default(key:type()).name, key_version = "1" }
  local at, signature = wire.sign_now({ client_id = client_id, private_key = key, signing = signing, now = os.time },
    "POST", api.by_name.order.path, body, seconds)
  return assert(at, signature), signature
end

return answer
