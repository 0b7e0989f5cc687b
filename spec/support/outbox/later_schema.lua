-- What a later version of alipayhk might do to the tables of an outbox in a file.

local steps = require("alipayhk.delivery.store.sqlite_schema").STEPS

local later_schema = {}

local STEP = [[
  ALTER TABLE event ADD COLUMN remark TEXT;
  UPDATE event SET remark = 'of the version before';
  CREATE INDEX event_remark ON event (remark)
]]

function later_schema.add() steps[#steps + 1] = STEP end

function later_schema.remove() steps[#steps] = nil end

return later_schema
