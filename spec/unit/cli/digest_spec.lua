local child = require "spec.support.child"
local digest = require "alipayhk.cli.digest"
local json = require "alipayhk.base.json"

local function of(text) return digest.of(assert(json.decode_object(text))) end

describe("the digest of a payload", function()
  it("is that of its content, however it is written", function()
    local expected = of '{"a":"x","b":{"c":[1,2],"d":null,"e":true}}'
    assert.matches("^%x+$", expected)
    assert.equal(digest.DIGITS, #expected)
    assert.equal(expected, of ' {"b" : {"e":true, "d":null,\n"c":[1, 2]}, "\\u0061":"\\u0078"}')
  end)

  it("is another one for another content", function()
    local seen = {}
    for _, text in ipairs {
      '{}', '{"a":1}', '{"a":"1"}', '{"a":true}', '{"a":"true"}', '{"a":false}', '{"a":null}', '{"a":[1]}',
      '{"a":[[1]]}', '{"a":{"b":1}}', '{"a":{},"b":1}', '{"a":"1,","b":1}', '{"a":1,"b":1}', '{"a":"b","c":"d"}',
      '{"a":"b,1c","d":""}', '{"a":1.5}', '{"a":15}', '{"a":-15}', '{"a":[1,2]}', '{"a":[2,1]}',
      '{"a":[12]}', '{"a":9007199254740991}',
    } do
      local found = of(text)
      assert.is_nil(seen[found], text)
      seen[found] = true
    end
  end)

  it("is the same in every Lua", function()
    local chunk = [[
      package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
      local json = require "alipayhk.base.json"
      io.write(require("alipayhk.cli.digest").of(json.decode_object(arg[1])))
    ]]
    local text = '{"n":1716338541000,"f":0.1,"l":[1,{"x":"電影"}],"e":[],"o":{},"z":null}'
    assert.equal("85c8cc1d15b38b6bf9eae6c911937165", (child.run(chunk, { text })))
    -- What some have no number for is a text in all; and zero has no sign.
    assert.equal(of '{"a":"9007199254740993","b":0}', (child.run(chunk, { '{"a":9007199254740993,"b":-0}' })))
    assert.equal(of '{"a":"-9007199254740993","b":0}', (child.run(chunk, { '{"a":-9007199254740993,"b":-0.0}' })))
  end)
end)
