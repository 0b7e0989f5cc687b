-- The options that several commands have, by groups: a command names its groups.

local text = require "alipayhk.base.text"

local options = {}

-- ---- what `convert` may be: gives a value, or nil and a message ------------------------------------------

-- A number of at least `least` and at most `most`, which may be nil; whole where `is_whole`.
function options.number(least, is_whole, most)
  local form = ("expected a %snumber %s %s"):format(is_whole and "whole " or "",
    most and ("from %s to"):format(least) or "of at least", most or least)
  return function(given)
    local value = tonumber(given)
    local fits = value and value >= least and value < math.huge and value <= (most or value)
    if fits and (not is_whole or value % 1 == 0) then return value end
    return nil, ("%s, found %s"):format(form, text.quoted(given))
  end
end

-- "10%" as 10.
function options.percent(given)
  local value = tonumber(given:match("^([%d.]+)%%$") or "")
  if value and value <= 100 then return value end
  return nil, ("expected a percentage up to 100%%, such as 10%%, found %s"):format(text.quoted(given))
end

local UNITS_MS = { ms = 1, s = 1000, m = 60 * 1000, h = 3600 * 1000, d = 24 * 3600 * 1000 }

-- "200ms", "5s", "10m", "1h", "30d" as milliseconds. `opts`: `least_ms`, 0 where it is absent; `is_signed`: it may be
-- negative.
function options.duration(opts)
  opts = opts or {}
  return function(given)
    local sign, digits, unit = given:match("^(-?)([%d.]+)([a-z]+)$")
    local value = tonumber(digits or "")
    local ms = value and UNITS_MS[unit] and value * UNITS_MS[unit]
    if not ms or ms < (opts.least_ms or 0) or sign == "-" and not opts.is_signed then
      return nil, ("expected a time such as 200ms, 5s, 10m, 1h or 30d, found %s"):format(text.quoted(given))
    end
    return sign == "-" and -ms or ms
  end
end

-- The id of an event of an outbox.
function options.id(given)
  if given:find("^%d+$") and #given <= 16 then return given end
  return nil, ("expected an id, as put and outbox list give it, found %s"):format(text.quoted(given))
end

-- ---- groups ----------------------------------------------------------------------------------------------

local function environments()
  return require("alipayhk.base.list").keys(require("alipayhk.api.platform").environments)
end

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
    { "--environment", value = "NAME", choices = environments, about = "testing or production" },
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

return options
