-- Files, as far as that goes without luaposix.

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

-- A word as a shell takes it.
function files.quoted(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- The first bytes of a file; nil where it cannot be read.
function files.head(path, max)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read(max)
  file:close()
  return content
end

-- Whether there is such a file, and one may read it.
function files.is_there(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close() and true
end

-- Its mode as ls shows it, "-rw-r--r--"; nil where there is no such file.
function files.mode(path)
  local pipe = io.popen(("ls -dlL -- %s 2> /dev/null"):format(files.quoted(path)), "r")
  local mode = pipe and pipe:read("*l")
  if pipe then pipe:close() end
  return mode and mode:match("^[-a-zA-Z]+")
end

-- Whether the group or all others may read it or write to it.
function files.is_open_to_others(path)
  local mode = files.mode(path)
  return mode ~= nil and mode:sub(5, 10):find("[rw]") ~= nil
end

return files
