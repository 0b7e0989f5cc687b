-- busted forgets the modules that a spec file loaded; what costs time to make is loaded here, before
-- the first file, and so made once.

require "spec.support.data.certificates"
require "spec.support.servers.gateway"
require "spec.support.data.keys"

-- How long each file took: lines of the log, of which spec/run shows the slowest.
local busted = require "busted"
local began = {}

busted.subscribe({ "file", "start" }, function(file)
  began[file.name] = os.time()
  return nil, true
end)

busted.subscribe({ "file", "end" }, function(file)
  print(("# %d s: %s"):format(os.time() - began[file.name], file.name))
  return nil, true
end)
