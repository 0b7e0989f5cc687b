-- Files, as far as that goes without luaposix.

local files = {}

-- A word as a shell takes it.
function files.quoted(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

-- Its first bytes; nil where it cannot be read.
function files.read(path, max)
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
