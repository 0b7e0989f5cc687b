-- What to look at after an error that a client's config may be the cause of.

local url = require "alipayhk.base.url"

local cure = {}

local GATEWAY = "is the local gateway running? (alipayhk gateway)"

-- By the code of an error: gives a question; nil for none. `about`: `host`, of the address; `id_source`, what names the
-- client id.
local BY_CODE = {
  connect = function(about) return url.is_loopback(about.host) and GATEWAY or nil end,
  INVALID_CLIENT = function(about)
    return ("is the client id, of %s, that of the other environment?"):format(about.id_source)
  end,
}

function cure.of(code, about)
  local ask = BY_CODE[code]
  return ask and ask(about) or nil
end

-- The same, at the end of a message.
function cure.added(message, code, about)
  local question = cure.of(code, about)
  return question and ("%s -> %s"):format(message, question) or message
end

return cure
