-- What a spec tells the processes of an outbox, as words of their command lines, "name=value". Of all: `store`, a URL;
-- `client_id`; `point`, `turn` and `signal`, what to do to itself and where; `points`, a file for the names of points:
-- see points.lua; "" is none.
-- A producer's: `stream`, its name; `acknowledged`, its log; `orders`, what its orders' numbers begin with; `lanes`,
-- how many there are; `puts`, how many it makes.
-- A worker's: `name`; `told`, its log; `base_url`, `private_key`, `public_key`; `seconds`, for how long; `concurrency`.

local parameters = {}

function parameters.read(words)
  local given = {}
  for _, word in ipairs(words) do
    local name, value = word:match("^([%w_]+)=(.*)$")
    given[name] = value
  end
  return given
end

function parameters.words(given)
  local words = {}
  for name, value in pairs(given) do words[#words + 1] = ("%s=%s"):format(name, value) end
  return words
end

return parameters
