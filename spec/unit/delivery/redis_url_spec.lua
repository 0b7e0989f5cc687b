local url = require "alipayhk.delivery.redis.url"

local FORM = "expected redis://[user:password@]host[:port][/database], or rediss:// for TLS: "

describe("the URL of a Redis", function()
  for given, target in pairs {
    ["redis://shop"] = { host = "shop", port = 6379, tls = false, database = 0, peer = "shop:6379" },
    ["REDIS://Shop.Example:6380/"] = {
      host = "shop.example", port = 6380, tls = false, database = 0, peer = "shop.example:6380",
    },
    ["redis://[::1]/12"] = { host = "::1", port = 6379, tls = false, database = 12, peer = "[::1]:6379" },
    ["redis://:only%20a%00password@10.0.0.1:7000"] = {
      host = "10.0.0.1", port = 7000, tls = false, database = 0, password = "only a\0password", peer = "10.0.0.1:7000",
    },
    ["rediss://u%3Aser:p%40ss:word%2F@shop/1?ca_file=/etc/a%26b.pem&server_name=inner"] = {
      host = "shop", port = 6379, tls = true, database = 1, user = "u:ser", password = "p@ss:word/",
      ca_file = "/etc/a&b.pem", server_name = "inner", peer = "shop:6379",
    },
  } do
    it("is read: " .. given, function() assert.same(target, url.parse(given)) end)
  end

  for given, message in pairs {
    ["http://shop"] = "begin it with redis:// or rediss://",
    ["shop:6379"] = "begin it with redis:// or rediss://",
    ["redis://"] = "the host is a name or an address",
    ["redis:///0"] = "the host is a name or an address",
    ["redis://shop:0"] = "a port is a number from 1 to 65535",
    ["redis://shop/orders"] = "after the host stands / and the number of a database",
    ["redis://shop/0/1"] = "after the host stands / and the number of a database",
    ["redis://shop/999999"] = "after the host stands / and the number of a database",
    ["redis://S3CRET@shop"] = "before the @ stand a user, a colon and a password; the user may be empty",
    ["redis://user:@shop"] = "before the @ stand a user, a colon and a password; the user may be empty",
    ["redis://user:S3CRET/x@shop"] = "in a user and a password blanks, / ? # and @ have to be percent-encoded",
    ["redis://user:S3CRET@x@shop"] = "in a user and a password blanks, / ? # and @ have to be percent-encoded",
    ["redis://user:S3CRET\n@shop"] = "in a user and a password blanks, / ? # and @ have to be percent-encoded",
    ["redis://user:S3CRET#x@shop"] = "without a # (in a password it is written %23)",
    ["redis://user:S3CRET%@shop"] = "in a user and a password % is written %25",
    ["rediss://shop?cafile=/x"] = 'after ? only ca_file and server_name are known, did you mean "ca_file"?',
    ["rediss://shop?ca_file"] = "ca_file: percent-encoded, and not empty",
    ["rediss://shop?ca_file=a&ca_file=b"] = "ca_file stands there twice",
    ["redis://shop?ca_file=/x"] = "ca_file goes with rediss://",
  } do
    it("is refused, without a word of a password: " .. given:gsub("%c", "?"), function()
      local target, said = url.parse(given)
      assert.is_nil(target)
      assert.equal(FORM .. message, said)
      assert.is_nil(said:find("S3CRET", 1, true))
    end)
  end

  it("is a string", function()
    assert.equal(FORM .. "expected a string, found nothing", select(2, url.parse(nil)))
  end)
end)
