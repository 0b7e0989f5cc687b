-- A request that was signed, for people to look at or to send by other means. No key is in it.

local text = require "alipayhk.base.text"

local shown_request = {}

local function header_names(request)
  local names = {}
  for name in pairs(request.headers) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- As it goes over the wire.
function shown_request.text(request)
  local lines = { ("%s %s"):format(request.method, request.url) }
  for _, name in ipairs(header_names(request)) do lines[#lines + 1] = name .. ": " .. request.headers[name] end
  lines[#lines + 1] = ""
  lines[#lines + 1] = request.body
  lines[#lines + 1] = ""
  return table.concat(lines, "\n")
end

-- A word as a shell reads it.
local function quoted(word)
  if word:find("^[A-Za-z0-9_/.:=@%%+,-]+$") then return word end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- Files that curl needs to trust the server, or to be trusted by it.
local TLS = { { "ca_file", "--cacert" }, { "client_cert", "--cert" }, { "client_key", "--key" } }

-- As a command line of curl. `tls`: of the config.
function shown_request.curl(request, tls)
  local words = { "curl", "-sS", "-X", request.method, quoted(request.url) }
  for _, file in ipairs(TLS) do
    if tls and tls[file[1]] then
      words[#words + 1] = file[2]
      words[#words + 1] = quoted(tls[file[1]])
    end
  end
  for _, name in ipairs(header_names(request)) do
    words[#words + 1] = "-H"
    words[#words + 1] = quoted(("%s: %s"):format(name, text.one_line(request.headers[name])))
  end
  words[#words + 1] = "--data-raw"
  words[#words + 1] = quoted(request.body)
  return table.concat(words, " ")
end

return shown_request
