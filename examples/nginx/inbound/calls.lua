-- AlipayHK's calls: verified and opened, handed to the shop, answered signed. The shop answers 200 when it
-- has stored the call. Until then AlipayHK is told to call again, which it does for a day.
--
-- Nothing is lost when a worker dies: a call without an answer comes again. The shop may see a call twice
-- after all: when the worker dies between its answer and ours, when nginx itself was started anew, and from
-- another machine.

local alipayhk = require "alipayhk"
local nginx = require "alipayhk.nginx"

local client, message = alipayhk.new {
  client_id = "4Q5Y8W0WSG45P907917",
  environment = "testing",
  private_key = { file = "/etc/alipayhk/merchant.pem" },
  alipay_public_key = { file = "/etc/alipayhk/alipayhk.pem" },
}
assert(client, tostring(message)) -- as a string: nginx shows no other error

-- The shop gets the bytes that AlipayHK wrote; a payload encoded anew might differ.
local function hand_over(_, request)
  local answer = ngx.location.capture("/shop", { method = ngx.HTTP_POST, body = request.plaintext })
  if answer.status == 200 then return true end
  return nil, "the shop answered " .. answer.status
end

return {
  notify = nginx.endpoint(client, hand_over, {
    path = function() return ngx.var.http_x_original_uri end,
    deliveries = "alipayhk_deliveries",
  }),
}
