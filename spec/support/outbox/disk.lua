-- Runs spec/support/outbox/diary.lua with spec/support/programs/disk.c, which sees what it does to its file.

local child = require "spec.support.child"
local keys = require "spec.support.data.keys"
local parameters = require "spec.support.outbox.parameters"
local shell = require "spec.support.shell"

local disk = { client_id = "4Q5Y8W0WSG45P907917" }

local BUILD = "${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC -o %s spec/support/programs/disk.c -ldl"

disk.is_built_here = select(2, shell.run "command -v ${CC:-cc} > /dev/null && test -e /proc/self/fd") == 0

local library

local function build()
  if library then return library end
  library = shell.directory() .. "/disk.so"
  shell.must(BUILD:format(shell.quote(library)))
  return library
end

-- Runs a diary: what it said, its status, and the path of the log. `options`: `path`, of the database; `sessions`, how
-- often it opens the outbox, and `puts`, how many events there are each time, twice; `synchronous`, that of SQLite,
-- where it is not to be the outbox's; `schema`, "later": the tables are of a later version; `die`, at which operation.
function disk.run(options)
  local merchant, alipay = keys.pair("merchant", "p224"), keys.pair("alipayhk", "p224")
  local given = {
    log = options.path .. ".log", client_id = disk.client_id, private_key = merchant.private,
    alipay_private_key = alipay.private, alipay_public_key = alipay.public,
  }
  for _, name in ipairs { "path", "sessions", "puts", "synchronous", "schema" } do given[name] = options[name] end
  local words = {
    "env", "ASAN_OPTIONS=verify_asan_link_order=0", "LD_PRELOAD=" .. build(), "DISK_PATH=" .. options.path,
    "DISK_LOG=" .. given.log, "DISK_DIE=" .. (options.die or ""), child.interpreter(), "spec/support/outbox/diary.lua",
  }
  for _, word in ipairs(parameters.words(given)) do words[#words + 1] = word end
  for i, word in ipairs(words) do words[i] = shell.quote(word) end
  local said, status = shell.run(table.concat(words, " "))
  return said, status, given.log
end

return disk
