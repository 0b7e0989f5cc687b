-- Calls of every function of the C modules, for finalizers.lua. By the function's name (see handles.lua) a list of
-- functions, each of which sets one call up afresh:
--
-- f, arguments  what is called
-- handles  those in use
-- tables  what holds the call's strings; emptied when the caller drops them
-- emptied  a list of words, one of which the call may say then
-- read  makes a string that can be compared of what pcall gave (everything, when absent)

local inputs = require "spec.support.stress.inputs"
local judge = require "spec.support.stress.judge"
local request = require "spec.support.servers.request"

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local keytool = require "alipayhk.keytool"
local redis = require "alipayhk.redis"
local sqlite = require "alipayhk.sqlite"

local cases = {
  modules = { "alipayhk.core", "alipayhk.curl", "alipayhk.keytool", "alipayhk.redis", "alipayhk.sqlite" },
}

local TEXT = ("text "):rep(50)
local unpack = unpack or table.unpack -- luacheck: ignore

-- Functions that end a handle are the same as `close`. Two are not called here: one asks whoever runs this, one writes
-- among the driver's lines.
cases.same_as = {
  ["alipayhk.keytool.ask_passphrase"] = "alipayhk.keytool.read_passphrase",
  ["alipayhk.keytool.key:print"] = "alipayhk.keytool.key:save",
  ["alipayhk.keytool.key:__gc"] = "alipayhk.keytool.key:close",
  ["alipayhk.keytool.key:__close"] = "alipayhk.keytool.key:close",
  ["alipayhk.keytool.passphrase:__gc"] = "alipayhk.keytool.passphrase:close",
  ["alipayhk.keytool.passphrase:__close"] = "alipayhk.keytool.passphrase:close",
  ["alipayhk.key:__gc"] = "alipayhk.key:close",
  ["alipayhk.key:__close"] = "alipayhk.key:close",
  ["alipayhk.curl:__gc"] = "alipayhk.curl:close",
  ["alipayhk.curl:__close"] = "alipayhk.curl:close",
  ["alipayhk.curl.multi:__gc"] = "alipayhk.curl.multi:close",
  ["alipayhk.curl.multi:__close"] = "alipayhk.curl.multi:close",
  ["alipayhk.redis:__gc"] = "alipayhk.redis:close",
  ["alipayhk.redis:__close"] = "alipayhk.redis:close",
  ["alipayhk.file_lock:__gc"] = "alipayhk.file_lock:close",
  ["alipayhk.file_lock:__close"] = "alipayhk.file_lock:close",
  ["alipayhk.pool:__gc"] = "alipayhk.pool:close",
  ["alipayhk.pool:__close"] = "alipayhk.pool:close",
  ["alipayhk.sqlite:__gc"] = "alipayhk.sqlite:close",
  ["alipayhk.sqlite:__close"] = "alipayhk.sqlite:close",
  ["alipayhk.sqlite.statement:__gc"] = "alipayhk.sqlite.statement:close",
  ["alipayhk.sqlite.statement:__close"] = "alipayhk.sqlite.statement:close",
}

cases.of = {}

local function add(name, set_up)
  local list = cases.of[name] or {}
  list[#list + 1] = set_up
  cases.of[name] = list
end

-- A call that has no handle and no table: the same arguments each time.
local function add_plain(name, f, ...)
  local arguments = { n = select("#", ...), ... }
  add(name, function() return { f = f, arguments = arguments } end)
end

-- ---- keys ---------------------------------------------------------------------------------------

local function private(algorithm) return assert(core.private_key { file = inputs[algorithm .. ".private"] }) end
local function public(algorithm) return assert(core.public_key { file = inputs[algorithm .. ".public"] }) end

local function read_key(ok, key, message)
  if not (ok and key) then return judge.dump({}, ok, tostring(key), message) end
  return tostring(key) .. " " .. key:fingerprint()
end

local function add_source(f_name, make_source)
  add("alipayhk.core." .. f_name, function()
    local source = make_source()
    return {
      f = core[f_name], arguments = { n = 1, source }, read = read_key,
      handles = { type(source) == "userdata" and source or nil },
      tables = { type(source) == "table" and source or nil }, emptied = { "either `file` or `data`" },
    }
  end)
end

local read_file = {}
for _, name in ipairs(inputs.names) do
  local file = io.open(inputs[name], "rb")
  if file then
    read_file[name] = file:read("*a")
    file:close()
  end
end

local function add_sources(half, other)
  local f_name = half .. "_key"
  for _, algorithm in ipairs { "rsa", "ec" } do
    local name = algorithm .. "." .. half
    add_source(f_name, function() return read_file[name] end)
    add_source(f_name, function() return { data = read_file[name] } end)
    add_source(f_name, function() return { file = inputs[name] } end)
    add_source(f_name, function() return half == "private" and private(algorithm) or public(algorithm) end)
    add_source(f_name, function() return half == "private" and public(algorithm) or private(algorithm) end)
    add_source(f_name, function() return read_file[algorithm .. "." .. other] end)
  end
  add_source(f_name, function() return "no key" end)
  add_source(f_name, function() return { file = "/does/not/exist" } end)
end

add_sources("private", "public")
add_sources("public", "private")
add_source("public_key", function() return read_file.certificate end)
-- Without its passphrase it says so, and that is what a caller gets who takes it away.
add("alipayhk.core.private_key", function()
  local source = { data = read_file.encrypted, passphrase = inputs.passphrase }
  return {
    f = core.private_key, arguments = { n = 1, source }, read = read_key, tables = { source },
    emptied = { "either `file` or `data`", "give its passphrase" },
  }
end)

-- A method of a key; `options` are those that it takes by itself, so that it may lose them.
local function add_method(name, make_key, make_arguments, options, read)
  add("alipayhk.key:" .. name, function()
    local key = make_key()
    local arguments = make_arguments and make_arguments(key) or {}
    local given = {}
    for field, value in pairs(options or {}) do given[field] = value end
    table.insert(arguments, 1, key)
    if options then arguments[#arguments + 1] = given end
    arguments.n = #arguments
    return {
      f = debug.getmetatable(key)[name], arguments = arguments, handles = { key }, tables = { given }, read = read,
    }
  end)
end

local signing = { rsa = { digest = "sha256" }, ec = { digest = "sha224", encoding = "der" } }

for algorithm, options in pairs(signing) do
  local judging = public(algorithm)
  local signature = assert(private(algorithm):sign(TEXT))
  local function make_private() return private(algorithm) end
  local function make_public() return public(algorithm) end
  local function read_signature(ok, text, message)
    if not (ok and text) then return judge.dump({}, ok, text, message) end
    return tostring(judging:verify(TEXT, text, options))
  end
  add_method("sign", make_private, function() return { TEXT } end, options, read_signature)
  add_method("sign", make_public, function() return { TEXT } end, options)
  for _, make_key in ipairs { make_private, make_public } do
    add_method("verify", make_key, function() return { TEXT, signature } end, options)
    add_method("verify", make_key, function() return { TEXT .. "!", signature } end, options)
    for _, name in ipairs { "type", "bits", "fingerprint", "__tostring", "close" } do add_method(name, make_key) end
  end
end

-- ---- keys of the command --------------------------------------------------------------------------

local file_count = 0

-- Of a file that is not there.
local function new_path()
  file_count = file_count + 1
  return ("%s/%d.pem"):format(inputs.directory, file_count)
end

local passphrase_path = new_path()
do
  local file = assert(io.open(passphrase_path, "w"))
  file:write(inputs.passphrase, "\n")
  file:close()
end

-- The same type of key and the same text: a new one has another number each time.
local function read_tool(ok, first, message)
  if not (ok and type(first) == "userdata") then return judge.dump({}, ok, first, message) end
  return tostring(first)
end

add("alipayhk.keytool.generate", function()
  return { f = keytool.generate, arguments = { n = 1, "EC" }, read = read_tool }
end)
for _, make_source in ipairs {
  function() return { file = inputs["rsa.private"] } end,
  function() return { data = read_file.certificate } end,
  function() return { data = "no key" } end,
  function() return { data = read_file.encrypted, passphrase = inputs.passphrase } end,
} do
  add("alipayhk.keytool.read", function()
    local source = make_source()
    return {
      f = keytool.read, arguments = { n = 1, source }, read = read_tool, tables = { source },
      emptied = { "either `file` or `data`", "give its passphrase" },
    }
  end)
end
add("alipayhk.keytool.read_passphrase", function()
  return { f = keytool.read_passphrase, arguments = { n = 1, passphrase_path }, read = read_tool }
end)
add_plain("alipayhk.keytool.read_passphrase", keytool.read_passphrase, "/does/not/exist")

local function add_tool(name, handle_of, ...)
  local rest = { n = select("#", ...), ... }
  local type_name = debug.getmetatable(handle_of()).__metatable
  add(type_name .. ":" .. name, function()
    local handle = handle_of()
    local arguments = { n = rest.n + 1, handle, unpack(rest, 1, rest.n) }
    return { f = debug.getmetatable(handle)[name], arguments = arguments, handles = { handle } }
  end)
end

local function tool_key() return assert(keytool.read { file = inputs["ec.private"] }) end
local function tool_passphrase() return assert(keytool.read_passphrase(passphrase_path)) end

for _, name in ipairs { "facts", "__tostring", "close" } do add_tool(name, tool_key) end
for _, name in ipairs { "__tostring", "close" } do add_tool(name, tool_passphrase) end
add_tool("is_private", tool_key, "pkcs8")
add_tool("text", tool_key, "spki")
add_tool("verifies", tool_key, TEXT, assert(private("ec"):sign(TEXT)), "SHA224", "usual")
add("alipayhk.keytool.key:save", function()
  local key, path = tool_key(), new_path()
  local function save_anew(handle)
    os.remove(path)
    return handle:save("pkcs8", path)
  end
  return { f = save_anew, arguments = { n = 1, key }, handles = { key } }
end)

-- ---- RSA_AES ------------------------------------------------------------------------------------

local opener = private("rsa")
local body, wrapped = assert(core.seal(TEXT, public("rsa")))

local function read_sealed(ok, sealed_body, sealed_key)
  if not (ok and sealed_body) then return judge.dump({}, ok, sealed_body, sealed_key) end
  return tostring(core.open(sealed_body, sealed_key, opener))
end

add("alipayhk.core.seal", function()
  local key, options = public("rsa"), { key_padding = "pkcs1", key_bits = 256 }
  local arguments = { n = 3, TEXT, key, options }
  return { f = core.seal, arguments = arguments, handles = { key }, tables = { options }, read = read_sealed }
end)
for _, sealed in ipairs { body, "AAAA" } do
  add("alipayhk.core.open", function()
    local key, options = private("rsa"), { key_padding = "pkcs1" }
    local arguments = { n = 4, sealed, wrapped, key, options }
    return { f = core.open, arguments = arguments, handles = { key }, tables = { options } }
  end)
end

-- ---- what has no handle -------------------------------------------------------------------------

add_plain("alipayhk.core.base64_encode", core.base64_encode, TEXT)
add_plain("alipayhk.core.base64_percent_encode", core.base64_percent_encode, TEXT)
add_plain("alipayhk.core.base64_decode", core.base64_decode, core.base64_encode(TEXT))
add_plain("alipayhk.core.base64_decode", core.base64_decode, "no base64!")
add_plain("alipayhk.core.hex_encode", core.hex_encode, TEXT)
add_plain("alipayhk.core.percent_encode", core.percent_encode, TEXT)
add_plain("alipayhk.core.percent_decode", core.percent_decode, core.percent_encode(TEXT))
add_plain("alipayhk.core.percent_decode", core.percent_decode, "%zz")
add_plain("alipayhk.core.parse_pairs", core.parse_pairs, "algorithm=RSA256, keyVersion=2, signature=" .. TEXT)
add_plain("alipayhk.core.parse_pairs", core.parse_pairs, "a=1,a=2")
add_plain("alipayhk.core.parse_pairs", core.parse_pairs, "no pairs")
add_plain("alipayhk.core.utf8_length", core.utf8_length, TEXT)
add_plain("alipayhk.core.utf8_length", core.utf8_length, TEXT .. "\255")
add_plain("alipayhk.core.sleep", core.sleep, 0)
add_plain("alipayhk.core.pem_file", core.pem_file, inputs.certificate, "CERTIFICATE")
add_plain("alipayhk.core.pem_file", core.pem_file, inputs.certificate, "PRIVATE KEY")
add_plain("alipayhk.core.pem_file", core.pem_file, "/does/not/exist", "CERTIFICATE")

-- Half a surrogate pair, an integer that no double holds, a float: all that is rewritten for lua-cjson.
local JSON = '{"result":{"a":"\\ud83d","b":9007199254740993,"c":1.5e3},"long":"' .. TEXT .. '"}'
local MARK = "\239\183\144" -- see csrc/json/scan.h
add_plain("alipayhk.core.json_scan", core.json_scan, JSON, "result")
add_plain("alipayhk.core.json_scan", core.json_scan, '{"result":1,"result":2}', "result")
add_plain("alipayhk.core.json_scan", core.json_scan, TEXT)
add("alipayhk.core.json_settle", function()
  local value = { MARK .. "i9007199254740993", { MARK .. "f1.5e3" }, MARK .. "d" .. ("9"):rep(100), MARK .. MARK }
  return { f = core.json_settle, arguments = { n = 1, value } }
end)
add_plain("alipayhk.core.json_number", core.json_number, 0.1)
add_plain("alipayhk.core.json_number", core.json_number, 57000)
add_plain("alipayhk.core.json_finish", core.json_finish, '{"list":"' .. MARK .. '[]","text":"' .. TEXT .. '"}')
add_plain("alipayhk.core.decimal_point", core.decimal_point)
add_plain("alipayhk.core.in_c_locale", core.in_c_locale, core.json_scan, JSON)

add("alipayhk.core.is_plain", function()
  local inner = { "a", "b" }
  local outer = { list = inner, text = TEXT, number = 1 }
  return { f = core.is_plain, arguments = { n = 1, outer }, tables = { outer, inner } }
end)
local function read_type(ok, value) return judge.dump({}, ok, type(value), type(value) == "string" and #value) end
add_plain("alipayhk.core.sha256", core.sha256, TEXT)
add_plain("alipayhk.core.is_visible", core.is_visible, TEXT)
for _, name in ipairs { "now", "monotonic", "catch_interrupts", "interrupted", "ignore_broken_pipes" } do
  add("alipayhk.core." .. name, function() return { f = core[name], arguments = { n = 0 }, read = read_type } end)
end
add("alipayhk.core.random_bytes", function()
  return { f = core.random_bytes, arguments = { n = 1, 100 }, read = read_type }
end)

for _, module in ipairs(cases.modules) do
  add(module .. "()", function()
    return { f = package.preload[module], arguments = { n = 0 }, read = read_type }
  end)
end

-- ---- the transport ------------------------------------------------------------------------------

add("alipayhk.curl.new", function()
  return { f = curl.new, arguments = { n = 0 }, read = function(_, made) return tostring(made) end }
end)
for _, name in ipairs { "__tostring", "close" } do
  add("alipayhk.curl:" .. name, function()
    local transport = curl.new()
    return { f = debug.getmetatable(transport)[name], arguments = { n = 1, transport }, handles = { transport } }
  end)
end

local CHANGING = { timing = true, date = true }

local function read_answer(...) return judge.dump(CHANGING, ...) end

-- How a connection is found to have been reset depends on when.
local RESET = { timing = true, message = true }
local function read_reset(...) return judge.dump(RESET, ...) end

local function add_send(url, fields, read)
  add("alipayhk.curl:send", function()
    local transport = curl.new()
    local given = request(url, fields)
    local headers = { ["Content-Type"] = "text/plain", ["X-One"] = "one", ["X-Two"] = "two" }
    local tls = { ca_file = inputs.certificate, min_version = "1.2" }
    given.headers, given.tls, given.body = headers, tls, given.body or "outer"
    return {
      f = debug.getmetatable(transport).send, arguments = { n = 2, transport, given }, handles = { transport },
      tables = { given, headers, tls }, emptied = { "request." }, read = read or read_answer,
    }
  end)
end

add_send(inputs.url .. "/tagged/12", { body = "outer" })
add_send(inputs.url .. "/dup-header")
add_send(inputs.url .. "/reset", {}, read_reset)
add_send(inputs.url .. "/bytes/2000", { max_response_bytes = 1000 })
add_send("http://127.0.0.1:1/")
add_send("ftp://127.0.0.1/")

-- ---- many at once ---------------------------------------------------------------------------------

local function read_handle(ok, made) return judge.dump({}, ok, tostring(made)) end

add("alipayhk.curl.multi", function() return { f = curl.multi, arguments = { n = 1, 2 }, read = read_handle } end)

-- The case of a method: `rest`, with their number as `n`, are its arguments after the handle.
local function case_of(handle, name, rest)
  local arguments = { n = rest.n + 1, handle }
  for i = 1, rest.n do arguments[i + 1] = rest[i] end
  return { f = debug.getmetatable(handle)[name], arguments = arguments, handles = { handle } }
end

-- `begun`: with two requests that have been answered, for each is given once.
local function add_multi(name, begun, ...)
  local rest = { n = select("#", ...), ... }
  add("alipayhk.curl.multi:" .. name, function()
    local multi = curl.multi(2)
    if begun then
      for _ = 1, 2 do multi:start(request(inputs.url .. "/tagged/12", { body = "outer" }), "begun") end
      for _ = 1, 20 do
        multi:wait(50)
        core.sleep(5)
      end
    end
    local case = case_of(multi, name, rest)
    case.read = read_answer
    return case
  end)
end
for _, name in ipairs { "__tostring", "close" } do add_multi(name, false) end
add_multi("wait", false, 0)
add_multi("finished", false)
add_multi("finished", true)
add("alipayhk.curl.multi:start", function()
  local multi, given = curl.multi(2), request(inputs.url .. "/tagged/12", { body = "outer" })
  local headers = { ["X-One"] = "one" }
  given.headers = headers
  return {
    f = multi.start, arguments = { n = 3, multi, given, "tag" }, handles = { multi }, tables = { given, headers },
    emptied = { "request." },
  }
end)

add_plain("alipayhk.core.processors", core.processors)
add("alipayhk.core.pool", function()
  local key = private "ec"
  return { f = core.pool, arguments = { n = 2, 1, key }, handles = { key }, read = read_handle }
end)

-- A signature differs each time, and so does a descriptor.
local function read_job(ok, first, ...)
  return judge.dump({}, ok, select("#", ...), type(first) == "number" and "a number" or first)
end

local function add_pool(name, begun, ...)
  local rest = { n = select("#", ...), ... }
  add("alipayhk.pool:" .. name, function()
    local pool = assert(core.pool(1, private "ec"))
    if begun then
      for _ = 1, 2 do assert(pool:sign(1, TEXT, nil, "begun")) end
      core.sleep(100)
    end
    local case = case_of(pool, name, rest)
    case.read = read_job
    return case
  end)
end
for _, name in ipairs { "__tostring", "close" } do add_pool(name, false) end
add_pool("fd", false)
add_pool("sign", false, 1, TEXT, nil, "tag")
add_pool("verify", false, 1, TEXT, TEXT, nil, "tag")
add_pool("finished", false)
add_pool("finished", true)

add("alipayhk.core.lock_file", function()
  return { f = core.lock_file, arguments = { n = 1, new_path() }, read = read_type }
end)
add_plain("alipayhk.core.lock_file", core.lock_file, "/does/not/exist")
for _, name in ipairs { "__tostring", "close" } do
  add("alipayhk.file_lock:" .. name, function()
    local held = assert(core.lock_file(new_path()))
    return { f = debug.getmetatable(held)[name], arguments = { n = 1, held }, handles = { held } }
  end)
end

-- ---- Redis ----------------------------------------------------------------------------------------

local function redis_options()
  return { host = "127.0.0.1", port = tonumber(inputs.redis_port), connect_timeout_ms = 2000, timeout_ms = 2000 }
end

add("alipayhk.redis.connect", function()
  local options = redis_options()
  return {
    f = redis.connect, arguments = { n = 1, options }, tables = { options }, emptied = { "options." },
    read = read_handle,
  }
end)

local function add_redis(name, ...)
  local rest = { n = select("#", ...), ... }
  add("alipayhk.redis:" .. name, function()
    local connection = assert(redis.connect(redis_options()))
    return case_of(connection, name, rest)
  end)
end
for _, name in ipairs { "__tostring", "close" } do add_redis(name) end
add_redis("call", "EVAL", "return { 1, { ARGV[1], false }, {} }", 0, TEXT)
add_redis("call", "NO", "SUCH")
add_redis("call", "ECHO", 1716338541000)

local function redis_commands()
  local echo, refused = { "ECHO", TEXT }, { "NO", 7 }
  local commands = { echo, refused, { "EVAL", "return { { 'a' }, 2 }", 0 } }
  return commands, { commands, echo, refused }
end

for _, name in ipairs { "pipeline", "send" } do
  add("alipayhk.redis:" .. name, function()
    local connection = assert(redis.connect(redis_options()))
    local commands, tables = redis_commands()
    return {
      f = debug.getmetatable(connection)[name], arguments = { n = 2, connection, commands }, handles = { connection },
      tables = tables, emptied = { "argument ", "a pipeline is", "at least " },
    }
  end)
end

add("alipayhk.redis:receive", function()
  local connection = assert(redis.connect(redis_options()))
  local commands = redis_commands()
  local function send_and_receive()
    local results = assert(connection:send(commands)) and false
    while results == false do results = connection:receive() end
    return results
  end
  return { f = send_and_receive, arguments = { n = 0 }, handles = { connection } }
end)

-- ---- databases ------------------------------------------------------------------------------------

local database_count = 0

-- One that is open and locked, with a table of four rows.
local function database()
  database_count = database_count + 1
  local db = assert(sqlite.open(("%s/%d.db"):format(inputs.directory, database_count)))
  assert(db:lock())
  assert(db:execute "CREATE TABLE t(id INTEGER PRIMARY KEY, v, a_longer_name DEFAULT 'and a text')")
  assert(db:execute "INSERT INTO t(v) VALUES('a'), (2), (1.5), (NULL)")
  return db
end

-- Paths differ from call to call; a database that is closed right behind the call closes the statement, too.
local function read_database(ok, first, message, ...)
  if type(first) == "userdata" then first = tostring(first):gsub(" %(%a+%)$", "") end
  if type(message) == "string" then message = message:gsub("^[^:]*/%d+%.db", "PATH") end
  return judge.dump({}, ok, first, message, ...)
end

local function add_database(name, unlocked, ...)
  local rest = { n = select("#", ...), ... }
  add("alipayhk.sqlite:" .. name, function()
    local db = database()
    if unlocked then assert(db:unlock()) end
    local case = case_of(db, name, rest)
    case.read = read_database
    return case
  end)
end

add("alipayhk.sqlite.open", function()
  database_count = database_count + 1
  local arguments = { n = 1, ("%s/%d.db"):format(inputs.directory, database_count) }
  return { f = sqlite.open, arguments = arguments, read = read_database }
end)
add_plain("alipayhk.sqlite.open", sqlite.open, "/does/not/exist")
for _, name in ipairs {
  "__tostring", "close", "claim_delivery", "release_delivery", "drop_ballast", "check", "is_checked", "is_replaced",
} do
  add_database(name, false)
end
-- With its opposite behind it, so that it can be called again.
for name, opposite in pairs { lock = "unlock", unlock = "lock" } do
  add("alipayhk.sqlite:" .. name, function()
    local db = database()
    if name == "lock" then assert(db:unlock()) end
    local function there_and_back(handle)
      local done, message, code = handle[name](handle)
      handle[opposite](handle)
      return done, message, code
    end
    return { f = there_and_back, arguments = { n = 1, db }, handles = { db }, read = read_database }
  end)
end
add_database("ballast", false, 5000)
add_database("execute", false, "INSERT INTO t(v) VALUES('b')")
add_database("execute", true, "INSERT INTO t(v) VALUES('b')")
add_database("prepare", false, "SELECT * FROM t WHERE v = ?")
add_database("prepare", false, "SELEC")

local function add_statement(name, sql, ...)
  local rest = { n = select("#", ...), ... }
  add("alipayhk.sqlite.statement:" .. name, function()
    local db = database()
    local statement = assert(db:prepare(sql))
    local case = case_of(statement, name, rest)
    -- The database is not at hand where it is dropped: the statement keeps it.
    case.handles[2], case.read = db, read_database
    return case
  end)
end
for _, name in ipairs { "__tostring", "close" } do add_statement(name, "SELECT 1") end
add_statement("run", "UPDATE t SET v = ?", TEXT)
add_statement("run", "INSERT INTO t(id) VALUES(?)", 1)
for _, name in ipairs { "first", "all" } do
  add_statement(name, "SELECT * FROM t WHERE id < ? ORDER BY id", 10)
  add_statement(name, "SELECT * FROM t WHERE id < ?", 0)
  add_statement(name, "INSERT INTO t(id) VALUES(?)", 1)
end

-- ---- what a finalizer calls on a handle that is in use ---------------------------------------------

local function tagged(text) return request(inputs.url .. "/tagged/12", { body = text }) end

-- By the handle's type: the arguments of each method.
cases.uses = {
  ["alipayhk.key"] = {
    sign = function(text) return { text } end,
    verify = function(text) return { text, text } end,
    fingerprint = function() return {} end,
  },
  ["alipayhk.keytool.key"] = { facts = function() return {} end },
  ["alipayhk.keytool.passphrase"] = {},
  ["alipayhk.file_lock"] = {},
  ["alipayhk.curl.multi"] = { wait = function() return { 0 } end },
  ["alipayhk.pool"] = { fd = function() return {} end },
  ["alipayhk.sqlite"] = { claim_delivery = function() return {} end },
  ["alipayhk.sqlite.statement"] = { first = function() return {} end },
  ["alipayhk.curl"] = { send = function(text) return { tagged(text) } end },
  ["alipayhk.redis"] = { call = function(text) return { "ECHO", text } end },
}

local judge_use = {}

function judge_use.send(_, text, ...)
  local expected = read_answer(pcall(curl.new().send, curl.new(), tagged(text)))
  local failure = judge.failure(...)
  local found = read_answer(...)
  if found == expected or (failure and failure:find("busy", 1, true)) then return nil end
  return "gives " .. judge.shown(found) .. " instead of " .. judge.shown(expected)
end

function judge_use.sign(key, text, ok, signature, message)
  if not ok then return "throws" end
  if not signature then return not message:find("public key", 1, true) and "gives " .. message or nil end
  return not key:verify(text, signature) and "gives a wrong signature" or nil
end

function judge_use.verify(_, _, ok, valid) return not (ok and valid == false) and "gives no false" or nil end

function judge_use.wait(_, _, ok, message) return not ok and "throws " .. tostring(message) or nil end

function judge_use.call(_, text, ok, reply)
  if not ok and reply:find("busy", 1, true) then return nil end
  return not (ok and reply == text) and "gives another reply" or nil
end

function judge_use.fd(_, _, ok, fd) return not (ok and type(fd) == "number") and "gives no descriptor" or nil end

function judge_use.fingerprint(key, _, ok, print)
  return not (ok and print == key:fingerprint()) and "differs" or nil
end

function judge_use.facts(key, _, ok, facts)
  return not (ok and facts.fingerprint == key:facts().fingerprint) and "differ" or nil
end

function judge_use.claim_delivery(_, _, ok, claimed) return not (ok and claimed == true) and "is not given" or nil end

-- Without the parameters that some statements have.
function judge_use.first(_, _, ok, row)
  if not ok then return not row:find("parameters expected", 1, true) and "throws " .. row or nil end
  return row.id ~= 1 and row["1"] ~= 1 and "gives another row" or nil
end

-- What is wrong with what a method gave inside a finalizer, or nil.
function cases.judge_use(handle, name, text, ...)
  local closed = tostring(handle):find("closed", 1, true)
  return not closed and judge_use[name](handle, text, ...) or nil
end

return cases
