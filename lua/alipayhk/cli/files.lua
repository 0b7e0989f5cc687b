-- Files that a command reads at once.

local failure = require "alipayhk.cli.failure"

local files = {}

local BLOCK = 65536

-- All of an open file, or more than `max` bytes of it; or nil and a message.
local function read_up_to(file, max)
  local parts, bytes = {}, 0
  repeat
    local part, message = file:read(BLOCK)
    if message then return nil, message end
    parts[#parts + 1] = part
    bytes = bytes + #(part or "")
  until not part or bytes > max
  return table.concat(parts)
end

-- The bytes of a file of at most `max`, "-" for standard input. `what`: what names it, for messages.
function files.read(path, what, max)
  local is_input = path == "-"
  local file, message = io.stdin, nil
  if not is_input then file, message = io.open(path, "rb") end
  if not file then failure.usage("%s: %s", what, message) end
  local content, fault = read_up_to(file, max)
  if not is_input then file:close() end
  if fault then failure.usage("%s: %s: %s", what, path, fault) end
  if #content > max then
    failure.usage("%s: %s: expected at most %d bytes: is it the right file?", what, path, max)
  end
  return content
end

return files
