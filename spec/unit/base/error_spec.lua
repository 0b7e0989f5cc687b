-- How an error and a fault print, and what is in them.

local core = require "alipayhk.core"
local digest = require "alipayhk.base.digest"
local new_error = require("alipayhk.base.error").new
local new_fault = require("alipayhk.base.fault").new
local thrown = require "spec.support.asserting.thrown"

describe("an error", function()
  it("prints on one line, with what is known", function()
    for expected, err in pairs {
      ["alipayhk: crypto: no memory"] = new_error("crypto", "no memory"),
      ["alipayhk: transport/timeout: no answer in time"] =
        new_error("transport", "no\nanswer in time", { code = "timeout", timing = 1, retryable = true }),
      ["alipayhk: http: HTTP 502, not 200 (http_status=502)"] =
        new_error("http", "HTTP 502, not 200", { http_status = 502 }),
      ["alipayhk: result/X: no (http_status=200, request_id=r 1, tracer_id=t1, attempts=2)"] = new_error("result", "no",
        { attempts = 2, tracer_id = "t1", request_id = "r\n1", code = "X", http_status = 200 }),
    } do
      assert.equal(expected, tostring(err))
      assert.equal("alipayhk.error", getmetatable(err).__name)
    end
  end)

  it("is the table that was given, with a message of valid UTF-8, and not to be tried again by default", function()
    local fields = { code = "timeout" }
    assert.equal(fields, new_error("transport", "no\r\nanswer \255", fields))
    assert.same({ kind = "transport", code = "timeout", message = "no answer ?", retryable = false },
      setmetatable(fields, nil))
    assert.is_true(new_error("transport", "no answer", { retryable = true }).retryable)
  end)
end)

describe("a fault", function()
  it("prints its place and its message", function()
    local fault = new_fault("extInfo.a", "missing", "required", true)
    assert.equal("extInfo.a: required", tostring(fault))
    assert.equal("alipayhk.fault", getmetatable(fault).__name)
    assert.same({ path = "extInfo.a", code = "missing", message = "required", ours = true }, setmetatable(fault, nil))
    fault = new_fault("", "type", "no object", false)
    assert.equal("no object", tostring(fault))
    assert.same({ path = "", code = "type", message = "no object" }, setmetatable(fault, nil))
  end)
end)

describe("a digest", function()
  it("is SHA-256's, and throws as Lua does where there is no memory for it", function()
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      core.hex_encode(digest.sha256 "abc"))
    local sha256 = core.sha256
    finally(function() core.sha256 = sha256 end)
    core.sha256 = function() return nil, "out of memory" end
    assert.equal("not enough memory", thrown(function() digest.sha256 "abc" end))
  end)
end)
