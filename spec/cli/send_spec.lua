-- Sends to the local gateway, and to one that says what it is told to say.

local cjson = require "cjson.safe"
local command = require "spec.support.command"
local gateway = require "spec.support.servers.gateway"
local json = require "alipayhk.base.json"
local nginx = require "spec.support.servers.nginx"
local samples = require "spec.support.data.samples"
local scripted = require "spec.support.servers.scripted_alipayhk"
local shell = require "spec.support.shell"

local function orders(count)
  local list = {}
  for i = 1, count do list[i] = samples.order() end
  return list
end

local function sorted_lines(text)
  local lines = {}
  for line in text:gmatch("[^\n]+") do lines[#lines + 1] = line end
  table.sort(lines)
  return lines
end

-- By their lines.
local function objects_of(text)
  local list = {}
  for _, object in ipairs(command.objects(text)) do list[object.line] = object end
  return list
end

describe("alipayhk send", function()
  local config, folder

  setup(function() config = command.config(gateway.config "rsa") end)
  before_each(function() folder = shell.directory() end)

  local function write(list, name)
    local path = ("%s/%s"):format(folder, name or "orders.jsonl")
    shell.write(path, command.lines(list))
    return path
  end

  local function send(list, ...)
    return command.run { "send", "--config", config, type(list) == "table" and write(list) or list, ... }
  end

  it("says of each line what became of it, and in the end how many", function()
    local list = { samples.order(), samples.card(), "{no JSON", samples.order { orderStatus = "EATEN" }, {} }
    local status, out, err = send(list)
    assert.equal(1, status)
    local said = sorted_lines(out)
    local path = folder .. "/orders.jsonl"
    assert.equal(5, #said)
    assert.equal(("%s:1: %s  accepted"):format(path, list[1].merchantBizNo), said[1])
    assert.equal(("%s:2: %s  accepted"):format(path, list[2].merchantBizNo), said[2])
    assert.matches(path .. ":3: refused  not JSON: ", said[3], 1, true)
    assert.matches((":4: %s  refused  invalid: 1 fault in the order payload: orderStatus: expected one of "):format(
      list[4].merchantBizNo), said[4], 1, true)
    assert.matches(":5: refused  it has neither merchantBizType nor productTemplateCode", said[5], 1, true)
    assert.matches("^2 accepted, 3 refused, 0 unknown, 0 not sent, 0 accepted before, 0 overtaken, [%d.]+ s\n$", err)
    for _, text in ipairs { out, err } do assert.not_matches(samples.USER_ID, text, 1, true) end
  end)

  it("gives each result as an object", function()
    local list = { samples.order(), samples.order { orderStatus = "EATEN" }, "{no JSON" }
    local status, out = send(list, "--json")
    local found = objects_of(out)
    assert.equal(1, status)
    assert.same({ file = folder .. "/orders.jsonl", line = 1, merchantBizNo = list[1].merchantBizNo, api = "order",
      outcome = "accepted", requestId = found[1].requestId, resultCode = "SUCCESS", attempts = 1 }, found[1])
    assert.matches("^%x+$", found[1].requestId)
    assert.same({ "refused", "invalid", list[2].merchantBizNo },
      { found[2].outcome, found[2].kind, found[2].merchantBizNo })
    assert.same({ "refused", "invalid", "json" }, { found[3].outcome, found[3].kind, found[3].code })
  end)

  it("reads several files, and standard input", function()
    local status, out = command.run({ "send", "--config", config, write(orders(2), "a"), "-", write(orders(1), "b") },
      { input = command.lines(orders(2)) })
    assert.equal(0, status)
    assert.equal(5, #sorted_lines(out))
    assert.matches("\n-:2: ", "\n" .. out, 1, true)
  end)

  it("takes its config from the environment, and over it from flags", function()
    local values = gateway.values()
    local env = {
      "ALIPAYHK_CLIENT_ID=" .. values.ec_client_id, "ALIPAYHK_BASE_URL=https://127.0.0.1:1",
      "ALIPAYHK_PRIVATE_KEY=" .. values.ec_private_key, "ALIPAYHK_PUBLIC_KEY=" .. values.ec_alipay_public_key,
      "ALIPAYHK_CA_FILE=" .. values.ca_file,
    }
    local path = write(orders(1))
    assert.equal(0, (command.run({ "send", "--base-url", values.base_url, path }, { env = env })))
    table.remove(env, 3)
    local status, _, err = command.run({ "send", path }, { env = env })
    assert.equal(2, status)
    assert.matches("^alipayhk: config: .*private_key.*ALIPAYHK_PRIVATE_KEY[^\n]*\n$", err)
  end)

  it("tells what is wrong with its input before it sends anything", function()
    local path = write(orders(1))
    for _, case in ipairs {
      { { path, folder .. "/none" }, "No such file or directory" },
      { { folder }, "Is a directory" },
      { { path, "--rate", "0" }, "--rate: expected a number of at least" },
      { { path, "--concurrency", "0" }, "--concurrency: expected a whole number from 1 to 1024" },
      { { path, "--curl" }, "--curl is for --dry-run" },
      { { path, "--journal", "/dev/full" }, "--journal: /dev/full: it is no regular file" },
      { { path, "--journal", path }, "it is no journal of this command" },
      { { path, "--journal", folder }, "Is a directory" },
      { { path, "--journal", folder .. "/none/journal" }, "No such file or directory" },
    } do
      local arguments = { "send", "--config", config }
      for _, word in ipairs(case[1]) do arguments[#arguments + 1] = word end
      local status, out, err = command.run(arguments)
      assert.same({ 2, "" }, { status, out }, case[2])
      assert.matches(case[2], err, 1, true)
      assert.matches("^alipayhk: [^\n]+\n$", err:gsub("^0 accepted[^\n]*\n", ""))
    end
  end)

  it("goes on after line 5,000, which is broken", function()
    local line = json.encode(samples.order { orderStatus = "EATEN" }) .. "\n"
    local path = folder .. "/many"
    shell.write(path, line:rep(4999) .. "{broken\n" .. command.lines(orders(1)))
    local status, out, err = send(path)
    assert.equal(1, status)
    assert.matches(path .. ":5000: refused  not JSON", out, 1, true)
    assert.matches("^1 accepted, 5000 refused", err)
  end)

  it("has nothing to say of what is no text", function()
    local path = folder .. "/binary"
    shell.write(path, "\127ELF\2\1\1\0\0\n\0\n\0\n")
    local status, out = send(path)
    assert.equal(1, status)
    assert.equal(path .. ":1: refused  expected JSON, found a binary file\n", out)
  end)

  it("tells the warnings of what is accepted", function()
    local order = samples.order { payAmount = { value = "180.00", currency = "HKD" } }
    local status, out = send { order, samples.order() }
    assert.equal(0, status)
    local said, place = sorted_lines(out), folder .. "/orders.jsonl"
    assert.equal(3, #said)
    assert.equal(("%s:1: %s  accepted, 1 warning"):format(place, order.merchantBizNo), said[1])
    assert.matches(place .. ":1: warning  payAmount.value  format  cents have no decimal point", said[2], 1, true)
    local found = command.objects(select(2, send({ order }, "--json")))
    assert.same({ 1, "payAmount.value" }, { #found, found[1].warnings[1].path })
  end)

  it("says what to look at where the config is the cause", function()
    local path, own = write(orders(1)), folder .. "/own.pem"
    shell.must("openssl genpkey -algorithm RSA -out " .. own .. " 2> /dev/null")
    local env = { "ALIPAYHK_CLIENT_ID=NOBODY" }
    for _, case in ipairs {
      { 3, "-> is the local gateway running? (alipayhk gateway)\n", { "--base-url", "https://127.0.0.1:1" } },
      { 3, "-> is the client id, of --client-id, that of the other environment?\n", { "--client-id", "NOBODY" } },
      { 3, "-> is the client id, of ALIPAYHK_CLIENT_ID, that of the other environment?\n", {}, env },
      { 3, "(alipayhk key FILE)", { "--private-key", own } },
      { 3, "[--private-key, ALIPAYHK_PRIVATE_KEY]\n", { "--private-key", own } },
      { 2, "; --config FILE gives all of it at once\n", {}, nil, {} },
      { 2, "one.json: it looks like an order or a notification, not", {}, nil, { "--config", folder .. "/one.json" } },
    } do
      shell.write(folder .. "/one.json", json.encode(samples.order()))
      local arguments = { "send", path }
      for _, list in ipairs { case[5] or { "--config", config }, case[3] } do
        for _, word in ipairs(list) do arguments[#arguments + 1] = word end
      end
      local status, out, err = command.run(arguments, { env = case[4] })
      assert.equal(case[1], status, case[2])
      assert.matches(case[2], out .. err, 1, true)
    end
  end)

  it("takes nothing at all for a fault", function()
    for _, more in ipairs { "--rate=9", "--dry-run", "--journal=" .. folder .. "/journal" } do
      local status, out = command.run { "send", "--config", config, "-", more }
      assert.same({ 1, "-: refused  holds nothing\n" }, { status, out })
    end
  end)

  describe("--dry-run", function()
    it("prints each request, signed, and sends none", function()
      local order = samples.order()
      local status, out, err = send({ order, samples.order { orderStatus = "EATEN" } }, "--dry-run")
      assert.equal(1, status)
      assert.matches(("^# %s/orders.jsonl:1: %s\nPOST %s/api/open/"):format(folder, order.merchantBizNo,
        gateway.values().base_url):gsub("[-+]", "%%%0"), out)
      for _, header in ipairs { "Client-Id: LOCAL_RSA256\n", "Request-Time: ", "Signature: algorithm=RSA256," } do
        assert.matches("\n" .. header, out, 1, true)
      end
      assert.equal(order.merchantBizNo, cjson.decode(out:match("\n\n({[^\n]*})\n")).merchantBizNo)
      assert.matches("refused  ", out, 1, true)
      assert.matches("1 would be sent, 1 refused, .*; nothing was sent\n$", err)
    end)

    it("prints a command line of curl that works, without a key in it", function()
      local order = samples.order { extInfo = { note = "it's $HOME `x` \\ \"電影\"" } }
      local status, out = send({ order }, "--dry-run", "--curl")
      assert.equal(0, status)
      local key = shell.read(gateway.values().rsa_private_key)
      for part in key:gmatch("[^\n]+") do assert.not_matches(part, out, 1, true) end
      shell.write(folder .. "/line", out)
      local answer = cjson.decode((shell.must("sh " .. folder .. "/line")))
      assert.same({ "SUCCESS", "TICKETED" }, { answer.result.resultCode, answer.orderStatus })
    end)

    it("gives objects", function()
      local _, out = send(orders(1), "--dry-run", "--curl", "--json")
      local found = objects_of(out)[1]
      assert.same({ "POST", "LOCAL_RSA256", "order" }, { found.method, found.headers["Client-Id"], found.api })
      assert.matches("^curl %-sS %-X POST https://", found.curl)
      assert.is_table(cjson.decode(found.body))
    end)
  end)

  describe("with a journal", function()
    local journal

    before_each(function() journal = folder .. "/journal" end)

    local function summary(list, ...)
      local status, _, err = send(list, "--journal", journal, ...)
      return status, err:match("([^\n]*), [%d.]+ s\n") or err
    end

    it("passes over what was accepted, and sends what was not", function()
      local list = orders(20)
      local third, mended = list[3], samples.order()
      list[3] = samples.order { orderStatus = "EATEN" }
      local status, said = summary(list)
      assert.same({ 1, "19 accepted, 1 refused, 0 unknown, 0 not sent, 0 accepted before, 0 overtaken" },
        { status, said })
      list[3] = third
      table.insert(list, 1, mended) -- wherever they stand now
      status, said = summary(list)
      assert.same({ 0, "2 accepted, 0 refused, 0 unknown, 0 not sent, 19 accepted before, 0 overtaken" },
        { status, said })
      status, said = summary(list, "--dry-run")
      assert.equal(0, status)
      assert.matches("^0 would be sent, 0 refused, 21 accepted before", said)
    end)

    it("is of the input, the client and the address that it was begun with", function()
      local path = write(orders(1))
      assert.equal(0, (summary(path)))
      local content = shell.read(journal)
      local status, said = summary(write(orders(1), "other.jsonl"))
      assert.same({ 2, 1 }, { status, select(2, said:gsub("\n", "")) })
      assert.matches("it is the journal of another input", said, 1, true)
      status, said = summary(path, "--client-id", gateway.values().ec_client_id)
      assert.equal(2, status)
      assert.matches("it is the journal of another client_id", said, 1, true)
      status, said = summary(path, "--base-url", "https://127.0.0.1:1")
      assert.equal(2, status)
      assert.matches("it is the journal of another address", said, 1, true)
      assert.equal(content, shell.read(journal))
    end)

    it("knows a file by whatever path", function()
      local path = write(orders(2))
      assert.equal(0, (summary(path)))
      local relative = path:gsub("^.*/build/", "build/../build/./")
      assert.matches("0 accepted, .* 2 accepted before", (select(2, summary(relative))))
    end)

    it("finds in standard input what a later line has overtaken", function()
      local order = samples.order()
      local later = samples.order { merchantBizNo = order.merchantBizNo, orderStatus = "USED" }
      local function run(list)
        return command.run({ "send", "--config", config, "--journal", journal, "-" }, { input = command.lines(list) })
      end
      assert.equal(0, (run { later }))
      local status, out, err = run { order, later }
      assert.equal(0, status)
      assert.equal(("-:1: %s  overtaken  a later state of the order was accepted\n"):format(order.merchantBizNo), out)
      assert.matches("0 accepted, .* 1 accepted before, 1 overtaken", err)
    end)

    it("ends before more is sent where the disk is full", function()
      local path = write(orders(400)) -- more than are taken before the first is accepted
      local said = shell.run(("trap '' XFSZ; ulimit -f 1; %s 2>&1 > /dev/null; echo status:$?"):format(
        command.words { "send", "--config", config, "--journal", journal, path }))
      assert.matches("alipayhk: not all was sent: --journal: " .. journal .. ": File too large: not all that was "
        .. "accepted is noted; run it again, and what was accepted is passed over\nstatus:3", said, 1, true)
      local accepted = tonumber(said:match("(%d+) accepted"))
      assert.is_true(accepted < 400, said)
      assert.equal(0, (summary(path)))
    end)

    it("has noted what was accepted where the results cannot be written", function()
      local path = write(orders(400))
      local said = shell.run(("%s 2>&1 > /dev/full; echo status:$?"):format(
        command.words { "send", "--config", config, "--journal", journal, path }))
      assert.matches("not all was sent: standard output: No space left on device; run it again, and what was accepted "
        .. "is passed over\nstatus:3", said, 1, true)
      local accepted = said:match("(%d+) accepted")
      assert.matches((" %s accepted before, "):format(accepted), (select(2, summary(path))), 1, true)
    end)
  end)

  describe("on a terminal", function()
    it("shows a bar that fits it", function()
      local path = write(orders(300))
      local said, status = command.on_terminal({ "send", "--config", config, "--rate", "400", path }, 100)
      assert.equal(0, status)
      assert.matches("\27%[K%[#*%-*%]  %s*%d+ %%  %d+ done  %d+ a second", said)
      for columns, pattern in pairs { [40] = "^ *%d+ %%  .*left$", [12] = "^ *%d+ %%$" } do
        said = command.on_terminal({ "send", "--config", config, "--rate", "400", path }, columns)
        local count = 0
        for line in said:gmatch("\27%[K([^\r\n]*)") do
          if line:find(pattern) then
            assert.is_true(#line < columns, line)
            count = count + 1
          end
        end
        assert.is_true(count > 0, said)
        assert.matches("300 accepted", said, 1, true)
      end
    end)

    it("shows colours, unless nobody wants them", function()
      local path = write(orders(1))
      assert.matches("\27[32maccepted\27[0m", command.on_terminal({ "send", "--config", config, path }, 80), 1, true)
      assert.not_matches("\27[32m", command.on_terminal({ "send", "--config", config, path }, 80, { "NO_COLOR=1" }), 1,
        true)
    end)
  end)

  describe("that is to end", function()
    local server

    before_each(function()
      server = scripted.start()
      config = command.config(server:config(), "retry = false")
    end)
    after_each(function()
      server:stop()
      config = command.config(gateway.config "rsa")
    end)

    local function start(list, ...)
      local journal = folder .. "/journal"
      local started = command.start { "send", "--config", config, "--journal", journal, write(list), ... }
      nginx.await(20, function() return #(shell.read(journal) or "") > 2000 end)
      return started, journal
    end

    local function noted(journal)
      return select(2, shell.read(journal):gsub("\n", "")) - 1
    end

    for signal in pairs { INT = true, TERM = true } do
      it("ends what is under way, and notes it: SIG" .. signal, function()
        local started, journal = start(orders(3000))
        started:signal(signal)
        local status, out, err = started:ended()
        assert.equal(3, status)
        assert.matches("ending when what is under way has ended; once more ends at once\n", err, 1, true)
        assert.matches("alipayhk: not all was sent: interrupted; run it again, and what was accepted is passed over\n",
          err, 1, true)
        local accepted = tonumber(err:match("(%d+) accepted, 0 refused, 0 unknown"))
        assert.is_true(accepted < 3000)
        assert.same({ accepted, accepted, accepted },
          { noted(journal), #server:arrivals(), select(2, out:gsub("  accepted\n", "")) })
      end)
    end

    it("ends at once at the second signal", function()
      local started = start(orders(3000))
      server:control { hold = "1" }
      started:signal "INT"
      nginx.await(10, function() return (select(2, started:said())):find("once more", 1, true) end)
      started:signal "INT"
      assert.equal(130, (started:ended()))
      server:control { hold = "0" }
    end)

    it("ends when nobody reads its results, and notes them all", function()
      local journal, path = folder .. "/journal", write(orders(3000))
      local words = command.words { "send", "--config", config, "--journal", journal, path }
      local said = shell.run(("%s 2> %s/err | head -n 50 | tail -n 1; sed 's/^/err /' %s/err"):format(words, folder,
        folder))
      assert.matches("accepted\nerr ", said)
      assert.matches("not all was sent: standard output: Broken pipe; run it again", said, 1, true)
      local accepted = tonumber(said:match("err (%d+) accepted"))
      assert.is_true(accepted < 3000, said)
      assert.same({ accepted, accepted }, { noted(journal), #server:arrivals() })
    end)

    it("says that without a journal the next run sends all again", function()
      local started = command.start { "send", "--config", config, write(orders(3000)) }
      nginx.await(20, function() return #started:said() > 2000 end)
      started:signal "INT"
      local status, _, err = started:ended()
      assert.equal(3, status)
      assert.matches("interrupted; run it again, and what was accepted is sent once more: with --journal FILE from the "
        .. "first run on, nothing is sent twice\n", err, 1, true)
    end)

    it("keeps off a journal that another run writes", function()
      local started, journal = start(orders(3000))
      local status, _, err = command.run { "send", "--config", config, "--journal", journal, folder .. "/orders.jsonl" }
      assert.equal(2, status)
      assert.matches("another run writes it", err, 1, true)
      started:signal "TERM"
      started:ended()
    end)

    it("says what is unknown, what was not sent, and what was overtaken in the next run", function()
      local order = samples.order()
      local list = { order, samples.order { merchantBizNo = order.merchantBizNo, orderStatus = "REFUNDED" } }
      server:control { codes = "UNKNOWN_EXCEPTION/U" }
      local status, out, err = send(list, "--journal", folder .. "/journal")
      assert.equal(3, status)
      assert.matches(":1: %S+  unknown  result/UNKNOWN_EXCEPTION: ", out)
      assert.matches("^1 accepted, 0 refused, 1 unknown, 0 not sent", err)
      status, out, err = send(list, "--journal", folder .. "/journal")
      assert.equal(0, status)
      assert.matches(":1: %S+  overtaken  a later state of the order was accepted\n$", out)
      assert.matches("^0 accepted, .* 1 accepted before, 1 overtaken", err)
      assert.equal(2, #server:arrivals())
      status, out = send(list, "--base-url", "https://127.0.0.1:1", "--json")
      assert.equal(3, status)
      local found = objects_of(out)
      assert.same({ "unsent", "transport", "connect" }, { found[1].outcome, found[1].kind, found[1].code })
    end)

    it("says that what it sent was older than what AlipayHK holds", function()
      config = command.config(gateway.config "rsa")
      local order = samples.order { orderModifyTime = os.time() * 1000, orderStatus = "USED" }
      local old = samples.order { merchantBizNo = order.merchantBizNo, orderModifyTime = 1716338541000 }
      local status, out = send { order, old }
      assert.equal(0, status)
      assert.matches(":2: %S+  accepted  AlipayHK holds USED and was sent TICKETED: this event is older", out)
      local found = objects_of(select(2, send({ order, old }, "--json")))
      assert.equal("older", found[2].warnings[1].code)
    end)
  end)
end)
