-- How a script connects to the local gateway. From the root of the checkout:
-- `local connection = dofile "gateway/connection.lua"`.

local connection = {}

-- Parses lines of name=value, such as gateway/start prints, into a table.
function connection.parse(text)
  local values = {}
  for name, value in text:gmatch("([A-Za-z0-9_]+)=([^\n]*)") do values[name] = value end
  return values
end

-- A config for `alipayhk.new`. `values`: what `parse` gave; `kind`: "rsa" or "ec", the type of the client's key.
function connection.config(values, kind)
  return {
    client_id = values[kind .. "_client_id"],
    base_url = values.base_url,
    private_key = { file = values[kind .. "_private_key"] },
    alipay_public_key = { file = values[kind .. "_alipay_public_key"] },
    tls = { ca_file = values.ca_file },
  }
end

-- Ends the start of the gateway for an option that is wrong. `name`: its variable.
function connection.refuse(name, why)
  error(("%s: %s"):format(name, why), 0)
end

return connection
