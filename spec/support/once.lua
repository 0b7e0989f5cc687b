-- busted forgets the modules that a spec file loaded; what costs time to make is loaded here, before
-- the first file, and so made once.

require "spec.support.certificates"
require "spec.support.gateway"
require "spec.support.keys"
