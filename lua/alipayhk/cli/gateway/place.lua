-- Where the files of the local gateway are: in a checkout beside the folder of the Lua files, installed among them.

local core = require "alipayhk.core"
local failure = require "alipayhk.cli.failure"
local files = require "alipayhk.cli.files"

local place = {}

local exists = files.is_there
local VALUES_MAX = 65536

-- The folder that a module of ours was loaded from, as `path`, package.path or package.cpath, has it: the first `X` of
-- its templates "X?.lua" where the module is. `name`: its file, from there, without an ending.
local function root_of(path, name)
  for template in path:gmatch("[^;]+") do
    local root = template:match("^([^?]*)%?[^?/]*$")
    if root and exists((template:gsub("%?", function() return name end))) then return root end
  end
end

-- The folder with gateway/start and its like.
function place.folder()
  local root = root_of(package.path, "alipayhk/base/version")
  for _, folder in ipairs { "../gateway", "alipayhk/gateway" } do
    if root and exists(root .. folder .. "/start") then return root .. folder end
  end
  failure.usage("gateway: its files are not there (alipayhk/gateway beside the Lua files): install alipayhk anew")
end

-- nginx runs LuaJIT, so the core for this Lua will do where that is 5.1 or LuaJIT. Else one may have been installed
-- beside it; where not, LuaJIT's own paths are tried. Gives the folder, or nil.
function place.core()
  local root = root_of(package.cpath, "alipayhk/core")
  if not root then return nil end
  if exists(root .. "alipayhk/gateway/alipayhk/core.so") then return root .. "alipayhk/gateway" end
  return _VERSION == "Lua 5.1" and (root:gsub("/$", "")) or nil
end

-- gateway/connection.lua, which reads what gateway/start prints.
function place.connection()
  return dofile(place.folder() .. "/connection.lua")
end

-- Whether a process has a number.
local function is_alive(pid)
  local answer = pid and pid:find("^%d+$") and os.execute(("kill -0 %s 2> /dev/null"):format(pid))
  return answer == true or answer == 0 -- 0 in Lua 5.1
end

-- What the gateway that runs over a folder of keys has printed; nil where none runs. Its log goes with it; its number
-- may be another's by then.
function place.values(directory)
  local said = files.head(directory .. "/values", VALUES_MAX)
  local values = said and place.connection().parse(said)
  return values and files.is_there(values.log or "") and is_alive(values.pid) and values or nil
end

-- The right to run a gateway over a folder of keys, which is made where there is none: to be kept while it runs. Ends
-- the command where another has it. What is no folder gateway/start tells of.
function place.claim(directory)
  os.execute(("mkdir -p -m 700 -- %s 2> /dev/null"):format(files.quoted(directory)))
  if (files.mode(directory) or ""):sub(1, 1) ~= "d" then return nil end
  local lock, message = core.lock_file(directory .. "/lock")
  if lock == nil then failure.usage("gateway: --keys: %s", message) end
  if lock then return lock end
  local values = place.values(directory)
  failure.usage("gateway: --keys: one over %s %s: end that first, or give another folder", directory,
    values and "runs already, at " .. values.base_url or "is starting already")
end

return place
