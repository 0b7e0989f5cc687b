-- Where the files of the local gateway are: in a checkout beside the folder of the Lua files, installed among them.

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

-- What the last gateway over a folder of keys has printed; nil where there was none.
function place.values(directory)
  local said = files.head(directory .. "/values", VALUES_MAX)
  return said and place.connection().parse(said)
end

return place
