-- How a script reaches the local gateway. Run from the root of the checkout:
-- `local connection = dofile "gateway/connection.lua"`.

local connection = {}

-- Reads what gateway/start printed, lines of name=value, into a table.
function connection.parse(text)
  local values = {}
  for name, value in text:gmatch("([A-Za-z0-9_]+)=([^\n]*)") do values[name] = value end
  return values
end

-- The config, for `alipayhk.new`, of one of the gateway's clients. `values`: of `parse`; `kind`: "rsa" or "ec".
function connection.config(values, kind)
  return {
    client_id = values[kind .. "_client_id"],
    base_url = values.base_url,
    private_key = { file = values[kind .. "_private_key"] },
    alipay_public_key = { file = values[kind .. "_alipay_public_key"] },
    tls = { ca_file = values.ca_file },
  }
end

return connection
