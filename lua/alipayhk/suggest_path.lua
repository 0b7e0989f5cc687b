--- "Did you mean" across levels: the known path nearest to one that is not known, such as "tls.ca_file" for "ca_file".
-- @module alipayhk.suggest_path

local suggest = require "alipayhk.suggest"

local function split(path)
  local level, name = path:match("^(.*)%.([^.]*)$")
  return level or "", name or path
end

-- Whether each word of a name is one of the other's: `ca` and `ca_file`, `attempts` and `max_attempts`.
local function has_words_of(name, other)
  local found = false
  for word in name:gmatch("[^_]+") do
    if not ("_" .. other .. "_"):find("_" .. word .. "_", 1, true) then return false end
    found = true
  end
  return found
end

-- The one path whose name passes; nil where there are several.
local function only(known, passes)
  local found
  for _, path in ipairs(known) do
    local _, name = split(path)
    if passes(name) then
      if found then return nil end
      found = path
    end
  end
  return found
end

--- `, did you mean "x"?` or an empty string.
-- @tparam string path with dots
-- @tparam table known list of paths
-- @treturn string
return function(path, known)
  if #path > 64 then return "" end
  local level, name = split(path)
  local names = {}
  for _, candidate in ipairs(known) do
    local its_level, its_name = split(candidate)
    if its_level == level then names[#names + 1] = its_name end
  end
  local same = only(known, function(other) return other == name end)
  if same then return (", did you mean \"%s\"?"):format(same) end
  local near = suggest(name, names)
  if near ~= "" then return near end
  local related = only(known, function(other) return has_words_of(name, other) end)
  return related and (", did you mean \"%s\"?"):format(related) or ""
end
