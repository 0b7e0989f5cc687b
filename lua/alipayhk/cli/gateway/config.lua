-- What to put into a config for the local gateway: as lines for a shell, and as a file.

local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"
local place = require "alipayhk.cli.gateway.place"

local config = {}

-- By which a file of ours is known, and may be written over.
local MARK = "-- For the local gateway, written by `alipayhk gateway --write-config`.\n"

-- A config for alipayhk.new, of what gateway/start printed. `kind`: "rsa" or "ec".
function config.of(values, kind)
  return place.connection().config(values, kind)
end

-- `export NAME='value'` for each variable.
function config.exports(values, kind)
  local made = config.of(values, kind)
  local lines = {}
  for i, pair in ipairs {
    { "CLIENT_ID", made.client_id }, { "BASE_URL", made.base_url }, { "PRIVATE_KEY", made.private_key.file },
    { "PUBLIC_KEY", made.alipay_public_key.file }, { "CA_FILE", made.tls.ca_file },
  } do
    lines[i] = ("export ALIPAYHK_%s=%s"):format(pair[1], files.quoted(pair[2]))
  end
  return lines
end

local FORM = MARK .. [[
return {
  client_id = %q,
  base_url = %q,
  private_key = { file = %q },
  alipay_public_key = { file = %q },
  tls = { ca_file = %q },
}
]]

-- Ends the command where a file is there that is not ours.
function config.check_file(path)
  if files.is_there(path) and files.head(path, #MARK) ~= MARK then
    failure.usage("--write-config: %s is there, and was not written by this command: name another file", path)
  end
end

function config.write_file(path, values, kind)
  local made = config.of(values, kind)
  local file, message = io.open(path, "wb")
  local done = file
  if file then
    done, message = file:write(FORM:format(made.client_id, made.base_url, made.private_key.file,
      made.alipay_public_key.file, made.tls.ca_file))
    local closed, fault = file:close()
    done, message = done and closed, message or fault
  end
  if not done then failure.usage("--write-config: %s", message) end
end

return config
