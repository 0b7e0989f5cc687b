-- The Lua of every page, run under each Lua as it stands: where a block of output follows, that is what it prints.

local gateway = require "spec.support.servers.gateway"
local readme = require "spec.support.sources.readme"
local samples = require "spec.support.data.samples"
local shell = require "spec.support.shell"

-- What the pages take for granted; and AlipayHK is the local gateway. Its arguments: the files of the blocks.
local AROUND = [[
alipayhk = require "alipayhk"
local connection = dofile "gateway/connection.lua"
local lines = io.open "gateway.env":read "*a"
local here, new = connection.config(connection.parse(lines), "rsa"), alipayhk.new

function alipayhk.new(config)
  config.environment = nil
  if not config.transport then
    for _, key in ipairs { "client_id", "base_url", "tls" } do config[key] = here[key] end
  else
    config.base_url = here.base_url
  end
  return new(config)
end

local new_outbox = alipayhk.outbox

function alipayhk.outbox(config)
  config.store = config.store:gsub("/var/lib/shop/", "")
  config.client_id = config.client_id and here.client_id
  return new_outbox(config)
end

client = assert(new(here))
order = { merchantBizNo = "PAGES-1", merchantBizType = "MOVIE_TICKET", orderStatus = "TICKETED", userId = "1",
  orderCreateTime = 1716338541000, extInfo = {} }
function save(payload) return payload.requestId == "call-1" end
function note() end

local alipayhk_itself = assert(new { client_id = here.client_id, base_url = "http://127.0.0.1",
  private_key = { file = "alipayhk-private.pem" }, alipay_public_key = { file = "merchant.pub.pem" } })
call = assert(alipayhk_itself:prepare("/alipayhk", { requestId = "call-1" }))

for _, path in ipairs(arg) do
  print("BLOCK " .. path)
  assert(loadfile(path))()
  print "END"
end
]]

-- What is not run has to be Lua all the same.
local READ = "for _, path in ipairs(arg) do assert(loadfile(path)) end\n"

-- Where the gateway's files are on its page.
local SHOWN = "/tmp/alipayhk-gateway.x7Yk2a/"

local directory

-- A directory with the files that the pages name.
local function prepare()
  local values = gateway.values()
  local own = values.ca_file:match("^(.*/)")
  local root = shell.must("pwd"):match("[^\n]+")
  directory = shell.directory()
  local files = {
    ["merchant.pem"] = own .. "merchant-rsa.pem", ["merchant.pub.pem"] = own .. "merchant-rsa.pub",
    ["alipayhk.pem"] = own .. "alipayhk-rsa.pub", ["alipayhk-private.pem"] = own .. "alipayhk-rsa.pem",
    ["alipayhk-1.pem"] = own .. "alipayhk-rsa.pub", ["alipayhk-2.pem"] = own .. "alipayhk-rsa.pub",
    ["gateway"] = root .. "/gateway",
  }
  for name, target in pairs(files) do shell.must(("ln -s %s %s/%s"):format(target, directory, name)) end
  local lines = {}
  for name, value in pairs(values) do lines[#lines + 1] = name .. "=" .. value end
  shell.write(directory .. "/gateway.env", table.concat(lines, "\n") .. "\n")
  shell.write(directory .. "/local.lua",
    'return { private_key = { file = "merchant.pem" }, alipay_public_key = { file = "alipayhk.pem" } }')
  shell.write(directory .. "/around.lua", AROUND)
  shell.write(directory .. "/read.lua", READ)
  return own
end

-- Only nginx has what this block needs.
local function is_for_nginx(block)
  return block.text:find("ngx%.") or block.text:find("alipayhk%.nginx") or block.text:find('require "resty')
end

-- The blocks of a page as files, those that run and those that are only read; `name` goes with each.
local function write_blocks(path, own)
  local runs, reads = {}, {}
  for _, block in ipairs(readme.programs(path)) do
    local name = ("%s_%d.lua"):format(path:gsub("[^%w]", "_"), block.line)
    local text = block.text:gsub(SHOWN:gsub("%p", "%%%0"), own)
    -- A notification is sent once, and so is a requestId.
    shell.write(directory .. "/" .. name, (text:gsub("20240524000001", samples.biz_no())))
    block.name = name
    local list = is_for_nginx(block) and reads or runs
    list[#list + 1] = block
  end
  return runs, reads
end

local function names_of(blocks)
  local names = {}
  for i, block in ipairs(blocks) do names[i] = block.name end
  return table.concat(names, " ")
end

local LUAS = { ["5.1"] = "lua5.1", ["5.4"] = "lua5.4", luajit = "luajit" }

for lua, interpreter in pairs(LUAS) do
  describe("under Lua " .. lua, function()
    local own

    setup(function()
      own = prepare()
      shell.must("make -s build LUA=" .. lua)
    end)

    for _, path in ipairs(readme.written_pages()) do
      it("the code runs on " .. path, function()
        local runs, reads = write_blocks(path, own)
        local environment = ('eval "$(make -s env LUA=%s)" && cd %s && '):format(lua, directory)
        if #reads > 0 then
          shell.must(environment .. interpreter .. " read.lua " .. names_of(reads))
        end
        if #runs == 0 then return end
        local output = shell.must(environment .. interpreter .. " around.lua " .. names_of(runs) .. " < gateway.env")
        local shown = {}
        for name, said in output:gmatch("BLOCK (%S+)\n(.-)END\n") do shown[name] = said end
        for _, block in ipairs(runs) do
          local said = assert(shown[block.name], output)
          if block.output then
            assert.equal(block.output, said, path .. ":" .. block.line)
          else
            assert.is_nil(("\n" .. said):find("\nalipayhk: "), said)
          end
        end
      end)
    end
  end)
end
