-- `make bench`: what the library costs, as ratios to the same work in C, and by others, in the same run.
--
--     lua bench/run.lua BUILD < what gateway/start printed
--
-- BENCH_JSON=1: as JSON. BENCH_ONLY=single or many: a part. BENCH_ROUNDS (3), BENCH_ORDERS (4000): of the batches;
-- SIGNATURES (1000000): of the memory test.

package.path = package.path .. ";./?.lua"

local connection = dofile "gateway/connection.lua"
local report = require "bench.report"

local gateway = connection.parse(io.read("*a"))
local is_json, only = os.getenv("BENCH_JSON") == "1", os.getenv("BENCH_ONLY")
local machine, rows = report.machine(), {}

local function add(row)
  rows[#rows + 1] = row
  if not is_json then report.print_row(row) end
end

if not is_json then report.print_head(machine) end
if only ~= "many" then require("bench.single").run(gateway, add) end
if only ~= "single" then require("bench.many").run(gateway, arg[1], add) end
if is_json then print(report.json(machine, rows)) end
