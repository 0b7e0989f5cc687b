-- The local gateway in the foreground.

local options = require "alipayhk.cli.options"

local TICK_MS = 100

local function loaded()
  return {
    config = require "alipayhk.cli.gateway.config",
    core = require "alipayhk.core",
    failure = require "alipayhk.cli.failure",
    place = require "alipayhk.cli.gateway.place",
    process = require "alipayhk.cli.gateway.process",
    requests = require "alipayhk.cli.gateway.requests",
  }
end

-- ---- what it is started with ----------------------------------------------------------------------------

-- Result codes by which an API answers.
local function result_codes()
  local api, platform = require "alipayhk.api", require "alipayhk.api.platform"
  local known = {}
  for code in pairs(platform.results) do known[code] = true end
  for _, name in ipairs(api.names) do
    for code in pairs(api.by_name[name].results) do known[code] = true end
  end
  return require("alipayhk.base.list").keys(known)
end

-- The decimal point may be another character in this locale.
local function number_text(value)
  return value and (("%.14g"):format(value):gsub(",", "."))
end

local function variables_of(given)
  return {
    GATEWAY_PORT = number_text(given.port), GATEWAY_KEYS = given.keys,
    GATEWAY_FAIL_PERCENT = number_text(given.fail), GATEWAY_DROP_PERCENT = number_text(given.drop),
    GATEWAY_DELAY_MS = number_text(given.delay), GATEWAY_SKEW_S = number_text(given.skew and given.skew / 1000),
    GATEWAY_ANSWER = given.answer, GATEWAY_UNSIGNED = given.unsigned and "1" or nil,
  }
end

-- ---- of one that runs -----------------------------------------------------------------------------------

local function print_exports(use, given, out, values)
  for _, line in ipairs(use.config.exports(values, given.type)) do out:line("%s", line) end
end

-- The lines for a shell, of the gateway that runs over --keys.
local function print_env(use, given, out)
  if not given.keys then
    use.failure.usage("gateway: --env: of which gateway? Give the --keys of the one that runs in another terminal")
  end
  local values = use.place.values(given.keys)
  if not values then
    use.failure.unknown("gateway: none runs over %s; start it in another terminal: alipayhk gateway --keys %s",
      given.keys, given.keys)
  end
  print_exports(use, given, out, values)
end

-- ---- running --------------------------------------------------------------------------------------------

local function tell(use, given, out, values)
  out:say("the local gateway is at %s, its page for a browser at %s; Ctrl-C ends it", values.base_url, values.page)
  if given.write_config then out:say("written: %s", given.write_config) end
  out:say("a config for it, as variables of a shell:")
  for _, line in ipairs(use.config.exports(values, given.type)) do out:say("  %s", line) end
end

local function show_new(use, out, reader)
  local entry = reader:next()
  while entry do
    use.requests.show(out, entry)
    entry = reader:next()
  end
end

-- Shows its requests until it is to end, or ends by itself.
local function follow(use, out, values)
  local reader = use.requests.open(values.requests)
  while not use.core.interrupted() do
    show_new(use, out, reader)
    if not use.process.is_there(values) then break end
    use.core.sleep(TICK_MS)
  end
  local is_asked = use.core.interrupted()
  use.process.stop(values)
  show_new(use, out, reader)
  reader:close()
  if not is_asked then use.failure.unknown("gateway: it has ended by itself; start it again") end
end

local function serve(use, given, out, values)
  if given.write_config then use.config.write_file(given.write_config, values, given.type) end
  tell(use, given, out, values)
  follow(use, out, values)
end

local function run(given, out)
  local use = loaded()
  if given.env then return print_env(use, given, out) end
  if given.write_config then use.config.check_file(given.write_config) end
  local variables = variables_of(given)
  local lock = given.keys and use.place.claim(given.keys)
  use.core.catch_interrupts()
  local values = use.process.start(variables)
  if not values then return end
  local ran, thrown = pcall(serve, use, given, out, values)
  if not ran then use.process.stop(values) end
  if lock then lock:close() end
  if not ran then error(thrown, 0) end
end

return {
  name = "gateway",
  summary = "run a local gateway in AlipayHK's place, and show each request that it gets",
  about = {
    [[It verifies signatures, checks payloads and remembers orders as AlipayHK's pages say, over TLS on a loopback
address, with keys of its own. It needs nginx with its Lua module, and nothing from AlipayHK.]],
    [[Without --keys its keys go when it ends. With it they are made once, and a config stays valid.]],
    [[Each request is a line: time, API, merchantBizNo, its status, the result code, milliseconds.]],
  },
  examples = {
    { "alipayhk gateway --keys ~/.alipayhk-local --port 8443 --write-config local.lua", "then, elsewhere: alipayhk "
      .. "doctor --config local.lua" },
    { 'eval "$(alipayhk gateway --keys ~/.alipayhk-local --env)"', "in another shell, while it runs" },
    { "alipayhk gateway --fail 10% --drop 5% --delay 200ms", "a bad day" },
  },
  options = {
    { "--port", value = "PORT", about = "the port on 127.0.0.1; a free one where it is not given",
      convert = options.number(1, true, 65535) },
    { "--keys", value = "DIR", about = "keep keys and CA there; they are made where they are missing" },
    { "--type", value = "TYPE", choices = { "rsa", "ec" }, default = "rsa",
      about = "of the keys in the config that is printed and written" },
    { "--env", about = "print the config of the gateway that runs over --keys, as lines for eval, and end" },
    { "--write-config", value = "FILE", about = "write a config for it, for --config of the other commands" },
    { "--fail", value = "PERCENT", convert = options.percent,
      about = "so many are not taken: HTTP 503, or a result of status U" },
    { "--drop", value = "PERCENT", convert = options.percent, about = "so many are taken, and get no answer" },
    { "--delay", value = "TIME", convert = options.duration(), about = "wait so long before each answer" },
    { "--answer", value = "CODE", choices = result_codes, about = "give each this result code, and take none" },
    { "--unsigned", about = "do not sign the answers" },
    { "--skew", value = "TIME", convert = options.duration { is_signed = true },
      about = "its clock is ahead by so much; --skew=-10m: behind" },
  },
  groups = { "output" },
  run = run,
}
