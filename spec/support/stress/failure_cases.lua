-- Calls for failures.lua, by name. Each is a function that sets the call up afresh:
--
-- f, arguments  what is called
-- judge(first, second)  what is wrong with its results when it succeeded (nil: nothing)
-- refused  the call gives nil and a message even when memory abounds
-- spared  a world whose allocations do not fail
-- every_thread  what other threads do fails too
-- is_durable  its yes means that it is on the disk
-- is_spent  the handle may have come to its end by the failure
-- finish  called in the end

local inputs = require "spec.support.stress.inputs"
local blame = require("spec.support.stress.judge").blame
local request = require "spec.support.servers.request"

local core = require "alipayhk.core"
local curl = require "alipayhk.curl"
local keytool = require "alipayhk.keytool"
local sqlite = require "alipayhk.sqlite"

local cases = { list = {}, judge_failure = blame }

local TEXT = ("text "):rep(50)
local EC_SIGNATURE_MAX = 80 -- bytes

local function add(name, set_up) cases.list[#cases.list + 1] = { name = name, set_up = set_up } end

local function call(f, judge, ...) return { f = f, judge = judge, arguments = { n = select("#", ...), ... } } end

local function refused(f, ...)
  local made = call(f, function() return "succeeds" end, ...)
  made.refused = true
  return made
end

local function exactly(expected)
  return function(found) return found ~= expected and "gives " .. tostring(found) or nil end
end

local function content(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- ---- keys ---------------------------------------------------------------------------------------

-- A key works, and is the key that it was read from.
local function judge_key(half, fingerprint)
  return function(key)
    if key:fingerprint() ~= fingerprint then return "is another key" end
    if not tostring(key):find(half, 1, true) then return "is no " .. half .. " key" end
    if half == "public" then return nil end
    local signature, message = key:sign(TEXT)
    if not signature then return "cannot sign: " .. message end
    if key:verify(TEXT, signature) ~= true then return "signs wrongly" end
  end
end

-- The files are named HALF.KEY.FORM.
for _, name in ipairs(inputs.names) do
  local half = name:match("^(%a+)%.%w+%.")
  if half then
    local read = core[half .. "_key"]
    local path, text = inputs[name], content(inputs[name])
    local passphrase = name:find("encrypted", 1, true) and inputs.passphrase or nil
    local fingerprint = assert(read { data = text, passphrase = passphrase }):fingerprint()
    add("key " .. name, function()
      return call(read, judge_key(half, fingerprint), { data = text, passphrase = passphrase })
    end)
    if name:find("pkcs8.pem", 1, true) then
      add("file " .. name, function() return call(read, judge_key(half, fingerprint), { file = path }) end)
    end
  end
end

local function private(algorithm)
  return assert(core.private_key { file = inputs["private." .. algorithm .. ".pkcs8.pem"] })
end

local function public(algorithm)
  return assert(core.public_key { file = inputs["public." .. algorithm .. ".spki.pem"] })
end

add("a key that is cut", function()
  return refused(core.private_key, content(inputs["private.rsa.pkcs8.pem"]):sub(1, 700))
end)
add("a key of the other half", function() return refused(core.public_key, content(inputs["private.rsa.pkcs8.pem"])) end)
add("no key", function() return refused(core.public_key, "no key") end)

-- ---- signatures ---------------------------------------------------------------------------------

local signing = {
  { name = "rsa", algorithm = "rsa" },
  { name = "rsa sha224", algorithm = "rsa", options = { digest = "sha224" } },
  { name = "ec", algorithm = "ec" },
  { name = "ec p1363", algorithm = "ec", options = { digest = "sha256", encoding = "p1363" } },
}

for _, case in ipairs(signing) do
  local signer, judging, options = private(case.algorithm), public(case.algorithm), case.options
  local signature = assert(signer:sign(TEXT, options))
  local other = assert(signer:sign(TEXT .. "!", options))

  local function judge_signature(found)
    if case.algorithm == "ec" and #found > EC_SIGNATURE_MAX then return ("has %d bytes"):format(#found) end
    return judging:verify(TEXT, found, options) ~= true and "gives a wrong signature" or nil
  end
  add("sign " .. case.name, function()
    return call(signer.sign, judge_signature, private(case.algorithm), TEXT, options)
  end)
  -- The key's contexts are made at its first signature.
  add("sign again " .. case.name, function()
    local key = private(case.algorithm)
    assert(key:sign(TEXT, options))
    return call(key.sign, judge_signature, key, TEXT, options)
  end)
  add("sign with a public key " .. case.name, function() return refused(judging.sign, judging, TEXT, options) end)

  for _, key_half in ipairs { "public", "private" } do
    local make = key_half == "public" and public or private
    add(("verify %s with the %s key"):format(case.name, key_half), function()
      return call(judging.verify, exactly(true), make(case.algorithm), TEXT, signature, options)
    end)
  end
  add("verify again " .. case.name, function()
    local key = public(case.algorithm)
    assert(key:verify(TEXT, signature, options))
    return call(key.verify, exactly(true), key, TEXT, signature, options)
  end)
  for name, wrong in pairs { another = other, short = signature:sub(1, -2), empty = "" } do
    add(("verify %s: %s signature"):format(case.name, name), function()
      return call(judging.verify, exactly(false), public(case.algorithm), TEXT, wrong, options)
    end)
  end
end

-- ---- keys of the command --------------------------------------------------------------------------

-- Reading is the core's.
for _, name in ipairs { "private.rsa.pkcs8.pem", "public.rsa.certificate.pem", "private.ec.pkcs8_encrypted.pem" } do
  local path = inputs[name]
  local expected = assert(keytool.read { file = path, passphrase = inputs.passphrase }):facts().fingerprint
  add("keytool " .. name, function()
    return call(keytool.read, function(key, found)
      local is_wrong = key:facts().fingerprint ~= expected or found.is_encrypted ~= (name:find("encrypted") ~= nil)
      return is_wrong and "is another key" or nil
    end, { file = path, passphrase = inputs.passphrase })
  end)
end
add("keytool generate", function()
  return call(keytool.generate, function(key)
    return core.public_key(key:text("spki")):fingerprint() ~= key:facts().fingerprint and "is unsound" or nil
  end, "EC")
end)

local tool_count = 0

for _, form in ipairs { "pkcs8", "pkcs1", "spki", "der", "base64" } do
  for _, algorithm in ipairs { "rsa", "ec" } do
    local key = assert(keytool.read { file = inputs["private." .. algorithm .. ".pkcs8.pem"] })
    local function new_path()
      tool_count = tool_count + 1
      return ("%s/%d.%s"):format(inputs.directory, tool_count, form)
    end
    local path = new_path()
    assert(key:save(form, path))
    local expected = content(path)
    add(("keytool save %s %s"):format(algorithm, form), function()
      local target = new_path()
      -- The driver calls more than once.
      local function save_anew()
        os.remove(target)
        return key:save(form, target)
      end
      return call(save_anew, function() return content(target) ~= expected and "is another file" or nil end)
    end)
  end
end

-- ---- RSA_AES, codecs, random bytes ----------------------------------------------------------------

local sealer, opener = public("rsa"), private("rsa")

for _, padding in ipairs { "pkcs1", "oaep" } do
  local options = { key_padding = padding }
  local body, wrapped = assert(core.seal(TEXT, sealer, options))
  add("seal " .. padding, function()
    return call(core.seal, function(sealed, key)
      return core.open(sealed, key, opener, options) ~= TEXT and "cannot be opened" or nil
    end, TEXT, public("rsa"), options)
  end)
  add("open " .. padding, function() return call(core.open, exactly(TEXT), body, wrapped, private("rsa"), options) end)
  add("open a cut body " .. padding, function()
    return refused(core.open, body:sub(1, -5), wrapped, private("rsa"), options)
  end)
end

for name, arguments in pairs {
  base64_encode = { TEXT }, base64_percent_encode = { TEXT }, base64_decode = { core.base64_encode(TEXT) },
  hex_encode = { TEXT },
  percent_encode = { TEXT }, percent_decode = { TEXT }, utf8_length = { TEXT }, is_plain = { { { TEXT } } },
} do
  local expected = core[name](arguments[1])
  add(name, function() return call(core[name], exactly(expected), arguments[1]) end)
end
add("json_scan", function()
  local text = '{"a":"\\ud83d","b":9007199254740993}'
  return call(core.json_scan, exactly((core.json_scan(text))), text)
end)
add("no json_scan", function() return refused(core.json_scan, TEXT) end)
add("json_settle", function()
  local value = { "\239\183\144f1.5e3" }
  return call(core.json_settle, function(found) return found[1] ~= 1500 and "gives another number" or nil end, value)
end)
add("json_number", function() return call(core.json_number, exactly("0.1"), 0.1) end)
add("json_finish", function()
  return call(core.json_finish, exactly('{"list":[]}'), '{"list":"\239\183\144[]"}')
end)
add("in_c_locale", function() return call(core.in_c_locale, exactly("0.1"), core.json_number, 0.1) end)
add("parse_pairs", function()
  return call(core.parse_pairs, function(found) return found.b ~= "2" and "gives other pairs" or nil end, "a=1,b=2")
end)
local certificate = inputs["public.rsa.certificate.pem"]
add("pem_file", function() return call(core.pem_file, exactly(true), certificate, "CERTIFICATE") end)
add("no pem_file", function() return refused(core.pem_file, certificate, "PRIVATE KEY") end)
add("sha256", function() return call(core.sha256, exactly(assert(core.sha256(TEXT))), TEXT) end)
add("pool", function()
  return call(core.pool, function(pool)
    pool:close()
    return nil
  end, 1, private "ec", public "rsa")
end)
add("random_bytes", function()
  return call(core.random_bytes, function(found) return #found ~= 100 and "gives another length" or nil end, 100)
end)

-- ---- databases ------------------------------------------------------------------------------------

-- Nobody else is there who could hold a lock.
local OPTIONS = { lock_ms = 100 }

local database_count = 0

local function new_path()
  database_count = database_count + 1
  return ("%s/%d.db"):format(inputs.directory, database_count)
end

-- One that is open and locked, with a table of three rows.
local function database()
  local db = assert(sqlite.open(new_path(), OPTIONS))
  assert(db:lock())
  assert(db:execute "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t(v) VALUES('a'), (2), (NULL)")
  return db
end

local function judge_open(db) return db:check() ~= true and "is not sound" or nil end

add("sqlite.open", function()
  return call(sqlite.open, judge_open, new_path(), OPTIONS)
end)
add("sqlite.open again", function()
  local path = new_path()
  local db = assert(sqlite.open(path, OPTIONS))
  assert(db:lock() and db:execute "CREATE TABLE t(v)" and db:unlock())
  db:close()
  return call(sqlite.open, judge_open, path, OPTIONS)
end)
add("sqlite.open what is no database", function()
  local path = new_path()
  local file = assert(io.open(path, "w"))
  file:write(TEXT)
  file:close()
  return refused(sqlite.open, path, OPTIONS)
end)
add("sqlite execute", function()
  local db = database()
  return call(db.execute, exactly(true), db, "INSERT INTO t(v) VALUES('b'); DELETE FROM t WHERE v = 'b'")
end)
add("sqlite execute what is no SQL", function()
  local db = database()
  return refused(db.execute, db, "SELEC")
end)
add("sqlite prepare", function()
  local db = database()
  return call(db.prepare, function(statement) return statement:first(1).v ~= "a" and "gives another row" or nil end, db,
    "SELECT v FROM t WHERE id = ?")
end)
add("sqlite run", function()
  local db = database()
  return call(db:prepare("UPDATE t SET v = ? WHERE id = 1").run, exactly(1), db:prepare("UPDATE t SET v = ?1"
    .. " WHERE id = 1"), TEXT)
end)
for name, judge_rows in pairs {
  first = function(row) return (row.id ~= 1 or row.v ~= "a") and "gives another row" or nil end,
  all = function(rows) return (#rows ~= 3 or rows[2].v ~= 2 or rows[3].v ~= nil) and "gives other rows" or nil end,
} do
  add("sqlite " .. name, function()
    local reading = assert(database():prepare "SELECT * FROM t ORDER BY id")
    return call(reading[name], judge_rows, reading)
  end)
end
for name, arguments in pairs {
  check = {}, claim_delivery = {}, release_delivery = {}, ballast = { 5000 },
} do
  add("sqlite " .. name, function()
    local db = database()
    return call(db[name], exactly(true), db, arguments[1])
  end)
end
add("sqlite lock", function()
  local db = assert(sqlite.open(new_path(), OPTIONS))
  return call(db.lock, function(done)
    assert(db:unlock())
    return done ~= true and "gives something else" or nil
  end, db)
end)

-- ---- the transport ------------------------------------------------------------------------------

local function judge_answer(answer)
  local tag = answer.headers["x-tag-1"]
  if answer.status ~= 205 or answer.body ~= "outer" or tag ~= "outer-1" then return "gives another answer" end
end

add("curl.new", function()
  return call(curl.new, function(new) return not tostring(new):find("open") and "is not open" or nil end)
end)

-- `spared` as above.
local function add_send(name, judge, kept, make_request, spared)
  add(name, function()
    local transport = curl.new()
    if kept then assert(transport:send(make_request())) end
    local made = call(transport.send, judge, transport, make_request())
    made.refused, made.spared = judge == nil, spared
    return made
  end)
end

for _, listener in ipairs { "http", "https" } do
  local function make_request()
    local fields = { body = "outer", tls = { ca_file = inputs.ca_file }, timeout_ms = 2000 }
    return request(inputs[listener] .. "/tagged/12", fields)
  end
  -- libcurl 7.88 frees the name of a TLS session twice where it finds no memory to keep the session. What it does
  -- otherwise it does without TLS too.
  local spared = listener == "https" and "libcurl" or nil
  add_send("send " .. listener, judge_answer, false, make_request, spared)
  add_send("send again " .. listener, judge_answer, true, make_request, spared)
end
add_send("send for an answer that is reset", nil, false, function() return request(inputs.http .. "/reset") end)
add_send("send for too large an answer", nil, false, function()
  return request(inputs.http .. "/bytes/2000", { max_response_bytes = 1000 })
end)
add_send("send to nobody", nil, false, function() return request("http://127.0.0.1:1/") end)

return cases
