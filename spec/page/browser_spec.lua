-- The page of the local gateway in a real browser: what browser/flows.js does with it, each flow a test.

local child = require "spec.support.child"
local gateway = require "spec.support.servers.gateway"
local json = require "cjson"
local shell = require "spec.support.shell"

local RUN = "node spec/page/browser/run.js "

describe("the gateway's page in a browser", function()
  local came_of = {}

  setup(function()
    shell.must("make -s build/page/node_modules")
    local values = gateway.start()
    local environment, lines = shell.directory() .. "/gateway.env", {}
    for name, value in pairs(values) do lines[#lines + 1] = ("%s=%s\n"):format(name, value) end
    shell.write(environment, table.concat(lines))
    local output = shell.run(("NODE_PATH=build/page/node_modules LUA=%s %s %s"):format(
      shell.quote(child.interpreter()), RUN, environment))
    gateway.stop(values)
    for line in output:gmatch("[^\n]+") do
      local ran, result = pcall(json.decode, line)
      if ran and type(result) == "table" then came_of[result.name] = result else came_of.rest = line end
    end
  end)

  for name in shell.must(RUN .. "--list"):gmatch("[^\n]+") do
    it(name, function()
      local result = came_of[name]
      assert.is_not_nil(result, "it did not run: " .. tostring(came_of.rest))
      assert.is_nil(result.message, tostring(result.message))
    end)
  end
end)
