--- The README's code, to be run as it stands but for what names the world outside.

local gateway = require "spec.support.servers.gateway"
local shell = require "spec.support.shell"

local readme = {}

--- The n-th block of a language; "" is one.
function readme.block(language, n)
  local blocks = {}
  for label, block in shell.read("README.md"):gmatch("```(%l*)\n(.-)```") do
    if label == language then blocks[#blocks + 1] = block end
  end
  return assert(blocks[n], "the README has no such block")
end

--- The first block that has the text.
function readme.block_with(needle)
  for block in shell.read("README.md"):gmatch("```%l*\n(.-)```") do
    if block:find(needle, 1, true) then return block end
  end
  error("the README has no block with: " .. needle)
end

--- The command in the text that begins so.
function readme.inline(start)
  for command in shell.read("README.md"):gsub("```.-```", ""):gmatch("`([^`]+)`") do
    if command:sub(1, #start) == start then return (command:gsub("\n", " ")) end
  end
  error("the README has no such command: " .. start)
end

-- Puts `to` for the text `from`, which has to be there.
local function put(text, from, to)
  local first, last = text:find(from, 1, true)
  assert(first, "the README no longer has: " .. from)
  return text:sub(1, first - 1) .. to .. text:sub(last + 1)
end

--- The block pointed at the local gateway.
-- @tparam string code
-- @tparam string tls further config, such as a CA file
function readme.at_gateway(code, tls)
  local values = gateway.values()
  code = put(code, '"4Q5Y8W0WSG45P907917"', ("%q"):format(values.rsa_client_id))
  code = put(code, 'environment = "testing"', ("base_url = %q%s"):format(values.base_url, tls))
  code = put(code, '"merchant.pem"', ("%q"):format(values.rsa_private_key))
  return put(code, '"alipayhk.pem"', ("%q"):format(values.rsa_alipay_public_key))
end

return readme
