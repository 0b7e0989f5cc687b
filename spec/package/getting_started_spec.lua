-- docs/getting-started.md, followed to the letter: its gateways in one terminal, the rest in another.

local command = require "spec.support.command"
local readme = require "spec.support.sources.readme"
local shell = require "spec.support.shell"

local PAGE = "docs/getting-started.md"

local ROOT = shell.must("pwd"):match("[^\n]+")

local clone, order, blocks = nil, nil, {}
for _, block in ipairs(readme.blocks(PAGE)) do
  if block.language == "sh" and not clone then
    clone = block.text
  elseif block.language == "sh" then
    blocks[#blocks + 1] = block.text
  elseif block.language == "lua" then
    order = block.text
  end
end

describe("who follows " .. PAGE, function()
  local directory, gateway

  -- In a shell whose path has the command, in the folder of this walk.
  local function inside(script)
    return ("cd %s && export PATH=%s/bin:$PATH\n%s"):format(directory, directory, script)
  end

  -- Each line of a block with its status.
  local function lines_of(block)
    local results = {}
    for line in block:gmatch("[^\n]+") do
      local output, status = shell.run(inside(line))
      results[#results + 1] = { output = output, status = status }
    end
    return results
  end

  local function stop()
    if not gateway then return end
    shell.run(("kill -INT %s; while kill -0 %s 2> /dev/null; do sleep 0.1; done"):format(gateway, gateway))
    gateway = nil
  end

  -- A block that starts a gateway, in a terminal of its own. Gives its log once it says where it is.
  local function start(block)
    stop()
    gateway = shell.must(inside(("%s > gateway.log 2>&1 & echo $!"):format(block:gsub("\n$", "")))):match("%d+")
    for _ = 1, 300 do
      local log = shell.read(directory .. "/gateway.log") or ""
      if log:find("Ctrl-C ends it", 1, true) then return log end
      shell.run("sleep 0.1")
    end
    error("no gateway: " .. tostring(shell.read(directory .. "/gateway.log")))
  end

  setup(function()
    directory = shell.directory()
    command.put_into(directory)
  end)

  teardown(stop)

  it("sends an order", function()
    start(blocks[1])
    for _, result in ipairs(lines_of(blocks[2])) do assert.equal(0, result.status, result.output) end
    local results = lines_of(blocks[2])
    assert.matches("order.json:1: 20240522000001  accepted", results[#results].output, 1, true)
  end)

  it("sends one by a script of Lua, in a clone", function()
    shell.write(directory .. "/order.lua", order)
    local output = shell.must(("unset LUA_PATH LUA_CPATH && cd %s && set -e\n%scommand -v alipayhk && cd %s && lua5.4 "
      .. "order.lua"):format(ROOT, clone, directory))
    assert.matches(ROOT .. "/bin/alipayhk\nSUCCESS\n", output, 1, true)
  end)

  it("sees five mistakes, each as the page says it", function()
    local results, rows = lines_of(blocks[3]), readme.rows(PAGE, "what is wrong")
    assert.equal(#rows, #results)
    for i, row in ipairs(rows) do
      for _, words in ipairs(readme.names(row[2])) do assert.matches(words, results[i].output, 1, true) end
      assert.equal(tonumber(row[3]), results[i].status, results[i].output)
    end
  end)

  it("has a thousand orders arrive on a bad day", function()
    start(blocks[4])
    local output, status = shell.run(inside("set -e\n" .. blocks[5]))
    assert.equal(0, status, output)
    assert.matches("\naccepted +1000\n", output)
    assert.matches("\nparked +0\n", output)
  end)

  it("makes keys", function()
    for _, result in ipairs(lines_of(blocks[6])) do assert.equal(0, result.status, result.output) end
    assert.equal(6, #blocks)
  end)
end)
