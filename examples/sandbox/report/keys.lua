-- The order in which an object's keys are written. Since Perl 5.18 each hash has its own order, even two cells of one answer. In older versions
-- hashes with the same keys had the same order.
local keys = {}

--- Makes a simple random generator: a function n -> 1 … n. With a whole number as `seed` the numbers repeat; else they differ each time.
function keys.generator(seed)
  local state = 1 + (type(seed) == "number" and seed or math.random(2147483646)) % 2147483646
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

--- Shuffles a list in place.
function keys.shuffle(options, list)
  for i = #list, 2, -1 do
    local j = options.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- A member is { key, … } or the text '"key":value'.
local function name_of(member)
  return type(member) == "table" and member[1] or member:match '^"([^"]*)":'
end

-- A key's place in an older Perl: a hash of its bytes, the same in every process.
local function place_of(name, salt)
  local hash = salt + 1
  for i = 1, #name do hash = (hash * 48271 + name:byte(i)) % 2147483647 end
  for _ = 1, 3 do hash = hash * 48271 % 2147483647 end -- spreads keys that differ only in the last byte
  return hash
end

--- Sorts an object's members in place, in the order that the switch `keys` sets.
function keys.arrange(options, members)
  local order = options.keys
  if order == "shuffled" then return keys.shuffle(options, members) end
  if order == "fixed" then return members end
  local salt = type(options.seed) == "number" and options.seed % 65536 or 0
  local function place(member)
    local name = name_of(member)
    return order == "one" and place_of(name, salt) or name
  end
  table.sort(members, function(a, b) return place(a) < place(b) end)
  return members
end

return keys
