--- `scrutinizer bill --from`: the bills of all customers from collected files.

local billing = require "scrutinizer.billing"
local customers = require "scrutinizer.cli.customers"
local data_files = require "scrutinizer.cli.data_files"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local export = require "scrutinizer.export"
local output = require "scrutinizer.cli.output"
local sink = require "scrutinizer.sink"

local many_bills = {}

local ENDINGS = { text = "txt", csv = "csv", html = "html" }

-- A file's name for a customer: bytes that are unusual in names of files become "_", at its beginning also "." and "-".
local function file_name(name) return (name:gsub("[^A-Za-z0-9._-]", "_"):gsub("^[.-]", "_")) end

local function write(path, text)
  local to, err = sink.open(path)
  if not to then return nil, err end
  local ok
  ok, err = to:write(text)
  if ok then ok, err = to:finish() end
  if not ok then to:abort() end
  return ok, err
end

local function usage_of(customer, default)
  if customer.usage == nil then return default end
  if type(customer.usage) ~= "table" then error("usage is not a table", 0) end
  local copy = {}
  for name, value in pairs(default) do copy[name] = value end
  for name, value in pairs(customer.usage) do copy[name] = value end
  return copy
end

-- A customer's bill, written to its files.
local function bill_of(run, customer)
  local tariff = customers.tariff(customer, run.args.customers, run.tariff, run.tariffs)
  if not tariff then return errors.fail("bill", "it has no tariff, and --tariff gives none") end
  local name = file_name(customer.name)
  if run.taken[name] then return errors.fail("bill", ("its file would have the name of %s's"):format(run.taken[name])) end
  run.taken[name] = customer.name
  local samples, err = run.collected:samples(customer.name, customer)
  if not samples then return nil, err end
  local bill
  bill, err = billing.invoice { customer = customer.name, number = customer.number, samples = samples, tariff = tariff,
    usage = usage_of(customer, run.usage) }
  if not bill then return nil, err end
  local ok
  ok, err = bill:save(("%s/%s.json"):format(run.args.into, name))
  local ending = ENDINGS[run.args.format]
  if ok and ending then ok, err = write(("%s/%s.%s"):format(run.args.into, name, ending), bill[run.args.format](bill)) end
  if not ok then return nil, err end
  return billing.summary({ bill })[1]
end

-- The same; misuse in the customer's own fields is an error of that customer alone.
local function try(run, customer)
  if type(customer) ~= "table" or type(customer.name) ~= "string" then return errors.fail("bill", "the customer has no name") end
  local fine, row, err = pcall(bill_of, run, customer)
  if fine then return row, err end
  if errors.is(row) then return nil, row end
  return errors.fail("bill", (tostring(row):gsub("^[^\n]-%.lua:%d+: ", "")))
end

--- Makes all bills: each is saved in the folder `--into`, and a table of all is printed. A bill that cannot be made is named on standard error and
--- does not stop the others.
---@param args table
---@param usage table the rules that the arguments give
---@return integer? status
---@return scrutinizer.Error? err
function many_bills.run(args, usage)
  if not args.customers or not args.into then error("bill: --from needs --customers and --into", 0) end
  local of = customers.period(args, "bill") or error("bill: give the period: --month or --between", 0)
  local list, tariff = customers.load(args.customers), args.tariff and data_files.load(args.tariff) or nil
  local run = { args = args, usage = usage, tariff = tariff, tariffs = {}, taken = {} }
  local err
  run.collected, err = billing.collected(of, args.from)
  if not run.collected then return nil, err end
  local rows, failed = {}, 0
  for i, customer in ipairs(list) do
    local row
    row, err = try(run, customer)
    if row then
      rows[#rows + 1] = row
    else
      failed = failed + 1
      local name = type(customer) == "table" and customer.name or ("customer %d"):format(i)
      io.stderr:write(("scrutinizer: bill: %s: %s\n"):format(errors.neutral(tostring(name), 100), tostring(err.message)))
    end
  end
  local _, columns = billing.summary {}
  local written
  written, err = export.csv(rows, args.output or io.stdout, { columns = columns, guard = true })
  if not written then return nil, err end
  return output.flushed(failed > 0 and exit_status.DATA or exit_status.DONE)
end

return many_bills
