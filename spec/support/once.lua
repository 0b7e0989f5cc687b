-- busted forgets the modules that a spec file loaded; what costs time to make is loaded here, before
-- the first file, and so made once.

require "spec.support.data.certificates"
require "spec.support.servers.gateway"
require "spec.support.data.keys"
