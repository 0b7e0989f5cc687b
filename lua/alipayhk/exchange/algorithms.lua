-- The signature algorithms, each a row of `alipayhk.api.platform`: its `name` in the header, its `key_type`, and the
-- core's options `digest` and `encoding`. Where AlipayHK's pages leave those open, `setting` names a table of the
-- config that chooses among the row's `choices`. Of several rows with one key type the first is the default.

local arguments = require "alipayhk.base.arguments"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"

local algorithms = {}

-- The parts of a row that are options of the core.
local OPTIONS = { "digest", "encoding" }

function algorithms.names()
  return list.names(platform.algorithms)
end

-- The row with a name; nil if there is none.
function algorithms.named(name)
  for _, row in ipairs(platform.algorithms) do
    if row.name == name then return row end
  end
end

-- The default row for keys of a type.
function algorithms.default(key_type)
  for _, row in ipairs(platform.algorithms) do
    if row.key_type == key_type then return row end
  end
end

local function options_of(row, chosen)
  local options = {}
  for _, name in ipairs(OPTIONS) do options[name] = chosen and chosen[name] or row[name] end
  return options
end

-- The tables of the config that choose for an algorithm: the checks of their keys, and the defaults, both by the
-- table's name.
function algorithms.settings()
  local checks, defaults = {}, {}
  for _, row in ipairs(platform.algorithms) do
    if row.setting then
      checks[row.setting] = {}
      for name, choices in pairs(row.choices) do checks[row.setting][name] = arguments.one_of(choices) end
      defaults[row.setting] = options_of(row)
    end
  end
  return checks, defaults
end

-- The core's options for each algorithm, by the algorithm's name, with the choices of a config.
function algorithms.read(config)
  local by_name = {}
  for _, row in ipairs(platform.algorithms) do
    by_name[row.name] = options_of(row, row.setting and config[row.setting])
  end
  return by_name
end

return algorithms
