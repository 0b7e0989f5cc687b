-- Sends through the library what it reads from its standard input, a call a line as JSON: `{ kind, method, payload,
-- opts, extra }`, `extra` over the config. Prints a line for each: the result code, or the error's.
--
--     lua send.lua gateway.env < calls

local alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local json = require "alipayhk.base.json"

local file = assert(io.open(arg[1]))
local values = connection.parse(file:read("*a"))
file:close()

for line in io.lines() do
  local call = assert(json.decode(line))
  local config = connection.config(values, call.kind or "rsa")
  for key, value in pairs(call.extra or {}) do config[key] = value end
  local client = assert(alipayhk.new(config))
  local response, err = client[call.method](client, call.payload, call.opts)
  print(response and response.result.resultCode or err.code or err.kind)
  client:close()
end
