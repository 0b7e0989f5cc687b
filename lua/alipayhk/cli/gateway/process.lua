-- The local gateway as a process: starts it, says why it does not start, and ends it.

local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"
local place = require "alipayhk.cli.gateway.place"
local text = require "alipayhk.base.text"

local process = {}

local END_TRIES, END_MS = 50, 100

local quote = files.quoted

-- ---- why it does not start ----------------------------------------------------------------------------

-- What stands in the words of gateway/start and nginx, and what to say instead. The first that is found.
local REASONS = {
  { "Address already in use", "the port is in use by another process: give another --port, or none for a free one" },
  { "bind() to 127.0.0.1:", "the port is for root alone: give a --port from 1024 on" },
  { "module 'alipayhk.core' not found", "nginx runs LuaJIT, and alipayhk is not installed for it: make build install "
    .. "LUA=luajit, or luarocks --lua-version=5.1" },
  { "module 'cjson' not found", "nginx runs LuaJIT, which finds no cjson: install lua-cjson (Debian, Ubuntu: apt-get "
    .. "install lua-cjson)" },
}

local function reason_of(said)
  for _, row in ipairs(REASONS) do
    if said:find(row[1], 1, true) then return row[2] end
  end
  return (said:gsub("^gateway: ", ""):gsub("GATEWAY_KEYS", "--keys"):gsub("[ \n]+$", ""))
end

-- ---- starting and ending ------------------------------------------------------------------------------

local function command_of(variables)
  local words = { "exec env" }
  for name, value in pairs(variables) do words[#words + 1] = quote(name .. "=" .. value) end
  words[#words + 1] = "sh " .. quote(place.folder() .. "/start") .. " 2>&1"
  return table.concat(words, " ")
end

-- Starts it with variables of the environment, such as GATEWAY_PORT: what gateway/start printed; nil where we were
-- interrupted meanwhile. It ends with us.
function process.start(variables)
  variables.GATEWAY_FOLLOW, variables.GATEWAY_REQUESTS = "1", "1"
  variables.GATEWAY_CORE = place.core()
  local pipe = assert(io.popen(command_of(variables), "r"))
  local said = pipe:read("*a") or ""
  pipe:close()
  local values = place.connection().parse(said)
  if core.interrupted() and not values.pid then return nil end
  if not values.pid then failure.usage("gateway: %s", text.one_line(reason_of(said))) end
  return values
end

-- Whether it still runs: its folder goes with it.
function process.is_there(values)
  return files.is_there(values.requests)
end

-- Ends it, and waits until it has.
function process.stop(values)
  os.execute(("kill %s 2> /dev/null"):format(values.pid))
  for _ = 1, END_TRIES do
    if not process.is_there(values) then return end
    core.sleep(END_MS)
  end
end

return process
