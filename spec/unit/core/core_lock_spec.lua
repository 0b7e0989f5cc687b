-- A lock on a file, between processes; and pipes that nobody reads.

local child = require "spec.support.child"
local core = require "alipayhk.core"
local process = require "spec.support.process"
local shell = require "spec.support.shell"

local ASK = [[
  local lock, message = require("alipayhk.core").lock_file(arg[1])
  print(lock and "held" or tostring(lock), message)
  io.stdout:flush()
  if arg[2] then os.execute(arg[2]) end
]]

describe("core.lock_file", function()
  local path

  before_each(function() path = shell.directory() .. "/file" end)

  local function ask(command) return (child.run(ASK, { path, command })) end

  it("makes the file, for its owner alone", function()
    local lock = assert(core.lock_file(path))
    assert.equal("600\n", shell.must("stat -c %a " .. path))
    lock:close()
  end)

  it("is held by one, until that closes it", function()
    local lock = assert(core.lock_file(path))
    assert.equal("alipayhk.file_lock (held)", tostring(lock))
    assert.equal("false\tnil\n", ask())
    assert.is_false(core.lock_file(path))
    lock:close()
    lock:close()
    assert.equal("alipayhk.file_lock (closed)", tostring(lock))
    assert.equal("held\tnil\n", ask())
  end)

  it("goes with its process, however that ends, and not on to what that has started", function()
    assert.matches("^held\tnil\n", ask "(sleep 20 > /dev/null 2>&1 &); kill -9 $PPID")
    assert.equal("held\tnil\n", ask())
  end)

  it("is let go when it is collected", function()
    assert(core.lock_file(path))
    collectgarbage()
    collectgarbage()
    assert(core.lock_file(path)):close()
  end)

  it("leaves alone what is in the file", function()
    shell.write(path, "content")
    assert(core.lock_file(path)):close()
    assert.equal("content", shell.read(path))
  end)

  it("says which file it cannot be of, and why", function()
    shell.must("mkfifo " .. path)
    for name, message in pairs {
      [path] = "it is no regular file", [path .. "/below"] = "Not a directory", ["/dev/full"] = "it is no regular file",
      [shell.directory()] = "Is a directory", [path .. "2/none"] = "No such file or directory",
    } do
      local lock, said = core.lock_file(name)
      assert.is_nil(lock)
      assert.equal(name .. ": " .. message, said)
    end
  end)

  it("leaves nothing open where it gets no lock", function()
    local lock = assert(core.lock_file(path))
    local before = process.open_files()
    for _ = 1, 3 do
      assert.is_false(core.lock_file(path))
      assert.is_nil(core.lock_file "/dev/full")
    end
    assert.equal(before, process.open_files())
    lock:close()
  end)

  it("works in a process that has no standard input, whose number the file gets", function()
    assert.same({ "held\tnil\n", 0 }, { shell.run(child.command(ASK, { path }) .. " <&-") })
  end)
end)

describe("core.ignore_broken_pipes", function()
  local CHUNK = [[
    if arg[1] then require("alipayhk.core").ignore_broken_pipes() end
    require("alipayhk.core").sleep(100)
    local written, message = io.stdout:write("to nobody\n")
    if written then written, message = io.stdout:flush() end
    io.stderr:write("goes on: ", tostring(message))
  ]]

  it("has a write fail that would end the process", function()
    local directory = shell.directory()
    for word, said in pairs { [""] = "", on = "goes on: Broken pipe" } do
      local command = child.command(CHUNK, word ~= "" and { word } or {}, { "--default-signal=PIPE" })
      shell.run(("{ %s; } 2> %s/err | true"):format(command, directory))
      assert.equal(said, shell.read(directory .. "/err"))
    end
  end)
end)
