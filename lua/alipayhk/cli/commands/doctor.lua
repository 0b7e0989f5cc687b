-- Looks whether all that an order needs is in place, and says how to mend what is not.

local options = require "alipayhk.cli.options"

local COLOURS = { pass = "green", warn = "yellow", fail = "red", skip = "dim" }

local SENDS = "doctor sends two requests to AlipayHK's order service, both with the body {}: one without a signature, "
  .. "to see the way there; one signed. Neither names an order, so neither can change one, and both have to be refused."

local function tell(out, name, verdict, message, cure)
  out:result({ { "check", name }, { "verdict", verdict }, { "message", message }, { "cure", cure } },
    ("%s  %-14s  %s%s"):format(out:paint(COLOURS[verdict], verdict), name, message, cure and " -> " .. cure or ""))
end

local function run(given, out)
  local doctor = require "alipayhk.cli.doctor"
  local count = { pass = 0, warn = 0, fail = 0, skip = 0 }
  if not given.offline then out:say("%s", SENDS) end
  local status = doctor.run({ given = given, is_offline = given.offline }, function(name, verdict, message, cure)
    count[verdict] = count[verdict] + 1
    tell(out, name, verdict, message, cure)
  end)
  out:say("%d pass, %d warn, %d fail, %d not looked at", count.pass, count.warn, count.fail, count.skip)
  return status
end

return {
  name = "doctor",
  summary = "look whether config, keys, network, clock and store are right, and say how to mend what is not",
  about = {
    [[A line for each thing it looks at: pass, warn or fail, and the cure. It changes nothing.]],
    [[It sends two requests to AlipayHK's order service, one of them signed, both with the body {}: an order without a
single field, not even a merchantBizNo. There is nothing in it that could be made or changed, so AlipayHK has to refuse
it; by what it says it shows whether it knows the client and the key, and by its signature whether we know its key.]],
    [[Exit status: 0 where nothing failed; else that of the first failure: 1 AlipayHK refused, 2 the config, 3 something
was not reached.]],
  },
  examples = {
    { "alipayhk doctor --config shop.lua", "before going live" },
    { "alipayhk doctor --config shop.lua --offline", "without the network" },
  },
  options = {
    { "--offline", about = "leave out what needs the network" },
    { "--timeout", value = "TIME", convert = options.duration { least_ms = 1 },
      about = "for each request; else the config's timeout_ms" },
  },
  groups = { "config", "store", "output" },
  run = run,
}
