-- The public names, one a line: what the annotations have, but for payloads, which are AlipayHK's; and the command's.
-- That the annotations are what the library has, and no more, is `spec/package/meta_spec.lua`'s to say.

local annotations = require "spec.support.sources.annotations"
local cli = require "alipayhk.cli"
local options = require "alipayhk.cli.options"

local surface = {}

local function is_payload(class)
  return class.file:find("payloads", 1, true) ~= nil
end

local function parameters(of)
  local names = {}
  for i, param in ipairs(of.params) do names[i] = param.is_optional and param.name .. "?" or param.name end
  return table.concat(names, ", ")
end

local function add_class(names, class)
  for _, field in ipairs(class.fields) do
    names[#names + 1] = ("%s.%s%s"):format(class.name, field.name, field.is_optional and "?" or "")
  end
  for _, of in ipairs(class.functions) do
    names[#names + 1] = ("%s%s%s(%s)"):format(class.name, of.is_method and ":" or ".", of.name, parameters(of))
  end
end

local function add_command(names, title, command)
  local words = { title }
  for _, argument in ipairs(command.arguments or {}) do words[#words + 1] = argument.name .. (argument.count or "") end
  names[#names + 1] = table.concat(words, " ")
  for _, option in ipairs(options.of(command)) do
    names[#names + 1] = ("%s %s%s"):format(title, option[1], option.value and " " .. option.value or "")
  end
  for _, below in ipairs(command.commands or {}) do add_command(names, title .. " " .. below.name, below) end
end

-- The sorted list.
function surface.names()
  local names = {}
  for _, class in ipairs(annotations.model.classes) do
    if not is_payload(class) then add_class(names, class) end
  end
  for _, name in ipairs(cli.NAMES) do add_command(names, "$ alipayhk " .. name, cli.command(name)) end
  table.sort(names)
  return names
end

return surface
