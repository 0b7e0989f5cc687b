-- The options that several commands have, by groups: a command names its groups.

local options = {}

options.GROUPS = {
  output = {
    { "--json", about = "print results as JSON, one object a line" },
  },
  -- See `alipayhk.cli.settings`, which reads them.
  config = {
    { "--config", value = "FILE", about = "the config: a Lua file that returns the table for alipayhk.new, or JSON" },
    { "--client-id", value = "ID", about = "the id that AlipayHK gave you" },
    { "--environment", value = "NAME", about = "testing or production" },
    { "--base-url", value = "URL", about = "AlipayHK's address, in place of --environment" },
    { "--private-key", value = "FILE", about = "your private key" },
    { "--public-key", value = "FILE", about = "AlipayHK's public key" },
    { "--ca-file", value = "FILE", about = "the certificates that the server's is verified with" },
  },
  store = {
    { "--store", value = "URL", about = "the outbox's store: sqlite:PATH or redis://HOST[:PORT][/DB]" },
  },
  -- See `alipayhk.cli.messages`, which reads them.
  message = {
    { "--method", value = "METHOD", about = "the request's method (default: the captured one, or POST)" },
    { "--path", value = "PATH", about = "the request's path with its query string, as sent" },
    { "--time", value = "TIME", about = "Request-Time, or Response-Time of an answer" },
    { "--body", value = "FILE", about = "a file with the body's very bytes; - is standard input" },
  },
  rules = {
    { "--scenarios", value = "FILE", about = "your own rules, as `scenarios` of alipayhk.new: a Lua file or JSON" },
    { "--strict", about = "what only follows from related pages is a fault, too" },
  },
}

-- All options of a command: its own, and those of its groups.
function options.of(command)
  local all = {}
  for _, option in ipairs(command.options or {}) do all[#all + 1] = option end
  for _, group in ipairs(command.groups or {}) do
    for _, option in ipairs(options.GROUPS[group]) do all[#all + 1] = option end
  end
  return all
end

-- ---- what `convert` may be: a value, or nil and a message ----------------------------------------------

-- A number of at least `least`, whole where `is_whole`.
function options.number(least, is_whole)
  return function(given)
    local value = tonumber(given)
    if value and value >= least and value < math.huge and (not is_whole or value % 1 == 0) then return value end
    return nil, ("expected a %snumber of at least %s, found '%s'"):format(is_whole and "whole " or "", least, given)
  end
end

return options
