-- A message as the input of a target: a first line, a line a header, an empty line, the body. Any bytes are one.
--
-- A message is `{ first, headers, body }`, `headers` a list of `{ name, value }`.

local message = {}

-- Without the blanks around it, as every transport gives a header's value.
local function trim(s)
  return s:match("^[ \t]*(.-)[ \t]*$")
end

function message.read(input)
  local first, rest = input:match("^([^\n]*)\n(.*)$")
  local given = { first = first or input, headers = {}, body = "" }
  while rest do
    local line, after = rest:match("^([^\n]*)\n(.*)$")
    if not line then
      given.body = rest
      break
    end
    rest = after
    if line == "" then
      given.body = rest
      break
    end
    local name, value = line:match("^([^:]*):(.*)$")
    if name then given.headers[#given.headers + 1] = { name, trim(value) } end
  end
  return given
end

function message.write(given)
  local lines = { given.first }
  for _, header in ipairs(given.headers) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  return table.concat(lines, "\n") .. "\n\n" .. given.body
end

-- Headers by name in lower case; one that came several times is joined, as transports do.
function message.joined(given)
  local headers = {}
  for _, header in ipairs(given.headers) do
    local name = header[1]:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. header[2] or header[2]
  end
  return headers
end

-- Headers by the name that was given; one that came several times is a list, as servers have it.
function message.listed(given)
  local headers = {}
  for _, header in ipairs(given.headers) do
    local before = headers[header[1]]
    if type(before) == "table" then
      before[#before + 1] = header[2]
    else
      headers[header[1]] = before and { before, header[2] } or header[2]
    end
  end
  return headers
end

return message
