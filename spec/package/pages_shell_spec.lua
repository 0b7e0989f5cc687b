-- Each line of shell that a page shows. Those that use the command and the store run here, as they stand but for what
-- names the world outside; what is followed in another way, or needs another machine, stands in a list.

local calls = require "spec.support.doubles.calls"
local cjson = require "cjson"
local command = require "spec.support.command"
local endpoint = require "spec.support.servers.endpoint"
local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

local LOCATIONS = [[location = /alipayhk { content_by_lua_block { plain = plain or merchant.endpoint {
  path = "/alipayhk" }; plain() } }]]
local SIGN, TIME = "alipayhk sign --config alipayhk.lua --path /api/x --body order.json", "2024-05-22T06:42:21+08:00"
local CALLS_CONFIG = "return { client_id = %q, private_key = { file = %q }, alipay_public_key = { file = %q } }"
local CALLS = "--config calls.lua --sign-with " .. calls.alipayhk("rsa").private

-- Of which pages it is run here, and of those which lines.
local HERE = {
  ["README.md"] = "^alipayhk ",
  ["docs/command.md"] = "^[^#]",
  ["docs/gateway.md"] = "^[^#]",
  ["docs/outbox.md"] = "^[^#]",
}
-- The spec that follows another page's; or why there is none.
local ELSEWHERE = {
  ["docs/getting-started.md"] = "spec/package/getting_started_spec.lua",
  ["docs/signing.md"] = "spec/package/signing_page_spec.lua",
  ["docs/install.md"] = "what it does spec/package/install_spec.lua does, into folders of its own",
  ["docs/nginx.md"] = "it is about other distributions",
  ["CONTRIBUTING.md"] = "make's targets, which CI runs",
  ["fuzz/README.md"] = "the same",
}

describe("the shell of the pages", function()
  local directory, merchant, signature

  local function write(name, text) shell.write(directory .. "/" .. name, text) end

  -- Runs lines in a folder that has what they name.
  local function bash(script)
    write("script", script)
    return shell.run(("cd %s && HOME=%s PATH=%s/bin:$PATH CURL_CA_BUNDLE=%s bash script 2>&1"):format(directory,
      directory, directory, gateway.values().ca_file))
  end

  local function must(script)
    local output, status = bash(script)
    assert.equal(0, status, script .. "\n" .. output)
    return output
  end

  setup(function()
    directory, merchant = shell.directory(), endpoint.start(LOCATIONS)
    command.put_into(directory)
    shell.must(("mkdir -p %s/.config/fish/completions"):format(directory))
    -- There need be no manual on the machine.
    if select(2, shell.run("command -v man")) ~= 0 then
      write("bin/man", "#!/bin/sh\nexec cat\n")
      shell.must("chmod +x " .. directory .. "/bin/man")
    end
    local config = gateway.config("rsa")
    local file = shell.read(command.config(config, ("store = 'sqlite:%s/shop.db', retry = false"):format(directory)))
    for _, name in ipairs { "shop.lua", "alipayhk.lua", "deliver.lua" } do write(name, file) end
    local orders = { samples.order(), samples.order(), samples.order { orderStatus = "USED" } }
    write("order.json", command.lines { samples.order() })
    write("orders.jsonl", command.lines(orders))
    write("event.json", '{"id":"pages-1","act":"true"}')
    shell.must(("cp %s %s/old.pem"):format(config.private_key.file, directory))
    write("calls.lua", CALLS_CONFIG:format(calls.CLIENT_ID, calls.merchant("rsa").private,
      calls.alipayhk("rsa").public))
    must "alipayhk put --config shop.lua order.json"
    local signed = must(SIGN .. " --time " .. TIME)
    signature = signed:match("Signature: ([^\n]+)")
    local body, headers = shell.read(directory .. "/order.json"), {}
    for name, value in signed:gmatch("([%w-]+): ([^\n]+)") do headers[#headers + 1] = { name = name, value = value } end
    write("request.txt", "POST /api/x HTTP/1.1\r\n" .. signed:gsub("\n", "\r\n") .. "\r\n" .. body)
    write("traffic.har", cjson.encode { log = { entries = { {
      request = { method = "POST", url = "https://shop.example/api/x", headers = headers, postData = { text = body } },
      response = { status = 0 },
    } } } })
  end)

  teardown(function() merchant:stop() end)

  -- What stands for the world outside, in this order.
  local function here(line)
    local values = gateway.values()
    for _, change in ipairs {
      { "/etc/alipayhk/", "" }, { "/var/lib/shop/events.db", "shop.db" }, { "/var/backups/", "" },
      { "https://shop.example/alipayhk", merchant.nginx.url .. "/alipayhk" },
      { "http://127.0.0.1:8080/alipayhk", merchant.nginx.url .. "/alipayhk" }, { " --port 8443", "" },
      { "http://127.0.0.1:23456", (values.base_url:gsub("^https", "http")) },
      { "https://...", values.base_url .. "/api/x" },
      { "curl -v ...", "curl -sv -H @headers --data-binary @order.json " .. values.base_url .. "/api/x" },
      { "--keys ~/.alipayhk-local", line:find("^alipayhk trigger") and CALLS or "--keys local" },
      { "--config local.lua", line:find("^alipayhk trigger") and CALLS or "--config shop.lua" },
      { "--key merchant.pub.pem --client-id ID", "--key " .. values.rsa_private_key .. " --client-id "
        .. values.rsa_client_id },
      { "SIGNATURE", shell.quote(signature) },
    } do
      local from, to = line:find(change[1], 1, true)
      if from then line = line:sub(1, from - 1) .. change[2] .. line:sub(to + 1) end
    end
    return line
  end

  -- What goes on until it is told to end.
  local function is_service(line)
    return line:find("^alipayhk gateway") or line:find("^alipayhk deliver") and not line:find("--until-empty", 1, true)
  end

  -- What finds nothing has the status 1.
  local STATUS = { ["| grep -v"] = 1 }

  local function status_of(line)
    for text, status in pairs(STATUS) do
      if line:find(text, 1, true) then return status end
    end
    return 0
  end

  local function run(line)
    if is_service(line) then
      local output, status = bash("timeout -s INT 2 " .. here(line))
      return assert.is_true(status == 124 or status == 0, output)
    end
    local output, status = bash(here(line))
    assert.equal(status_of(line), status, here(line) .. "\n" .. output)
  end

  local function shell_blocks(page)
    local texts = {}
    for _, block in ipairs(readme.blocks(page)) do
      if block.language == "sh" then texts[#texts + 1] = block.text end
    end
    return texts
  end

  local count = 0
  for page, pattern in pairs(HERE) do
    for line in table.concat(shell_blocks(page)):gmatch("[^\n]+") do
      if line:find(pattern) then
        count = count + 1
        it(("runs, %s: %s"):format(page, line), function() run(line) end)
      end
    end
  end

  it("is known by its page", function()
    assert.is_true(count > 40, count)
    for _, page in ipairs(readme.written_pages()) do
      assert.truthy(HERE[page] or ELSEWHERE[page] or #shell_blocks(page) == 0, page .. ": a block that no spec runs")
    end
  end)
end)
