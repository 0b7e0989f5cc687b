-- The options that several commands have, by groups: a command names its groups.

local options = {}

-- ---- what `convert` may be: gives a value, or nil and a message ------------------------------------------

-- A number of at least `least` and at most `most`, which may be nil; whole where `is_whole`.
function options.number(least, is_whole, most)
  return function(given)
    local value = tonumber(given)
    if value and value >= least and value <= (most or math.huge) and value < math.huge
      and (not is_whole or value % 1 == 0) then
      return value
    end
    return nil, ("expected a %snumber of at least %s%s, found '%s'"):format(is_whole and "whole " or "", least,
      most and (" and at most %s"):format(most) or "", given)
  end
end

local UNITS_MS = { ms = 1, s = 1000, m = 60 * 1000, h = 3600 * 1000, d = 24 * 3600 * 1000 }

-- A span such as 30d, in milliseconds.
function options.duration(given)
  local number, unit = given:match("^(%d+)([a-z]+)$")
  if number and UNITS_MS[unit] then return tonumber(number) * UNITS_MS[unit] end
  return nil, ("expected a number and ms, s, m, h or d, such as 30d, found '%s'"):format(given)
end

-- The id of an event of an outbox.
function options.id(given)
  if given:find("^%d+$") and #given <= 16 then return given end
  return nil, ("expected an id, as put and outbox list give it, found '%s'"):format(given)
end

-- ---- groups ----------------------------------------------------------------------------------------------

local CONFIG = { "--config", value = "FILE",
  about = "the config: a Lua file that returns the table for alipayhk.new, or JSON" }
local CLIENT_ID = { "--client-id", value = "ID", about = "the id that AlipayHK gave you" }
local STORE = { "--store", value = "URL", about = "the outbox's store: sqlite:PATH or redis://HOST[:PORT][/DB]" }

options.GROUPS = {
  output = {
    { "--json", about = "print results as JSON, one object a line" },
  },
  -- See `alipayhk.cli.settings`, which reads them.
  config = {
    CONFIG,
    CLIENT_ID,
    { "--environment", value = "NAME", about = "testing or production" },
    { "--base-url", value = "URL", about = "AlipayHK's address, in place of --environment" },
    { "--private-key", value = "FILE", about = "your private key" },
    { "--public-key", value = "FILE", about = "AlipayHK's public key" },
    { "--ca-file", value = "FILE", about = "the certificates that the server's is verified with" },
  },
  store = { STORE },
  -- What an outbox needs that delivers nothing.
  outbox = { CONFIG, CLIENT_ID, STORE },
  speed = {
    { "--concurrency", value = "N", about = "requests under way at once", default = 32,
      convert = options.number(1, true, 1024) },
    { "--rate", value = "N", about = "at most so many requests a second", convert = options.number(1 / 100) },
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

return options
