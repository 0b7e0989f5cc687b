local digest = require "alipayhk.cli.digest"
local input = require "alipayhk.cli.input"
local json = require "alipayhk.base.json"
local resume = require "alipayhk.cli.resume"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

-- What a journal says that has noted these payloads.
local function journal_of(...)
  local noted = {}
  for _, payload in ipairs { ... } do noted[#noted + 1] = digest.of(payload) end
  return {
    is_empty = function() return #noted == 0 end,
    reader = function()
      local left = {}
      for i, mark in ipairs(noted) do left[i] = mark end
      return function(mark)
        for i, one in ipairs(left) do
          if one == mark then return table.remove(left, i) ~= nil end
        end
        return false
      end
    end,
  }
end

-- The states of what a file has, a word each.
local function states(list, journal, open)
  local path, lines = shell.directory() .. "/in", {}
  for i, payload in ipairs(list) do lines[i] = type(payload) == "table" and json.encode(payload) or payload end
  shell.write(path, table.concat(lines, "\n") .. "\n")
  local found = {}
  for entry in resume.entries((open or function(name) return input.open { name } end)(path), journal) do
    found[#found + 1] = entry.state or "send"
  end
  return table.concat(found, " ")
end

describe("what is still to be sent", function()
  local order, card = samples.order(), samples.card()
  local a, b = order.merchantBizNo, card.merchantBizNo

  it("is all of it without a journal, and with an empty one", function()
    local list = { order, card, order, "no JSON", {}, { merchantBizType = "MOVIE_TICKET" } }
    assert.equal("send send send broken broken send", states(list))
    assert.equal("send send send broken broken send", states(list, journal_of()))
  end)

  it("is what was not accepted, as often as it was not", function()
    assert.equal("accepted send", states({ order, card }, journal_of(order)))
    assert.equal("accepted accepted send", states({ order, order, order }, journal_of(order, order)))
    assert.equal("send accepted", states({ card, order }, journal_of(order)))
  end)

  it("is nothing that a later line of its order has overtaken, unless it has a time of its own", function()
    local later = samples.order { merchantBizNo = a, orderStatus = "USED" }
    assert.equal("overtaken accepted send", states({ order, later, samples.order { merchantBizNo = a, orderStatus =
      "REFUNDED" } }, journal_of(later)))
    local timed = samples.order { merchantBizNo = a, orderModifyTime = 1716338541000 }
    assert.equal("send accepted", states({ timed, later }, journal_of(later)))
  end)

  it("tells orders from notifications of the same number", function()
    local list = { samples.card { merchantBizNo = a }, samples.order { merchantBizNo = b }, order, card,
      samples.card { merchantBizNo = b, bizDate = 1716338541000, command = "UPDATE" } }
    assert.equal("send send accepted accepted send", states(list, journal_of(order, card)))
    list[#list + 1] = samples.card { merchantBizNo = b, command = "UPDATE" }
    assert.equal("send send accepted overtaken send accepted", states(list, journal_of(order, list[6])))
  end)

  it("is found in what cannot be read twice, too", function()
    local later = samples.order { merchantBizNo = a, orderStatus = "USED" }
    local function from_pipe(path)
      local source = input.open { path }
      source.files[1], source.begins[1], source.bytes = io.popen("cat " .. path), nil, nil
      return source
    end
    assert.equal("overtaken accepted send", states({ order, later, card }, journal_of(later), from_pipe))
  end)
end)

describe("a source", function()
  it("knows how far it has been read, through all of its files", function()
    local folder, line = shell.directory(), json.encode(samples.order()) .. "\n"
    shell.write(folder .. "/a", line .. line)
    shell.write(folder .. "/b", "\n" .. line)
    local source = input.open { folder .. "/a", folder .. "/b" }
    local positions = {}
    for _ = 1, 2 do
      for _ in source:payloads() do positions[#positions + 1] = source:position() end
      source:rewind()
    end
    local length = #line
    local expected = { length, 2 * length, 3 * length + 1 }
    for i = 1, 3 do expected[i + 3] = expected[i] end
    assert.same(expected, positions)
    assert.equal(3 * length + 1, source.bytes)
  end)
end)
