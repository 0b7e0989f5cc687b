-- The algorithms of signatures, each a row of `alipayhk.api.platform`: `name` in the header, `key_type`, and what the
-- core signs with, `digest` and `encoding`. Where AlipayHK's pages leave those open, the config's table that `setting`
-- names chooses among the row's `choices`. Of several rows with one key type the first is the default.

local arguments = require "alipayhk.base.arguments"
local list = require "alipayhk.base.list"
local platform = require "alipayhk.api.platform"

local algorithms = {}

-- The columns of a row that the core takes as options.
local OPTIONS = { "digest", "encoding" }

function algorithms.names()
  return list.names(platform.algorithms)
end

-- The row of a name; nil where there is none.
function algorithms.named(name)
  for _, row in ipairs(platform.algorithms) do
    if row.name == name then return row end
  end
end

-- The row for a type of key where no name is given.
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

-- The config's tables that choose for an algorithm, by name: the checks of their keys, and their defaults.
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

-- The core's options for each algorithm, by its name, with what the config chooses.
function algorithms.read(config)
  local by_name = {}
  for _, row in ipairs(platform.algorithms) do
    by_name[row.name] = options_of(row, row.setting and config[row.setting])
  end
  return by_name
end

return algorithms
