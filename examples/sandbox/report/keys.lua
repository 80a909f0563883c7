-- The order in which an object's keys are written. A Perl of today gives each hash an order of its own, two cells of one answer too; before
-- 5.18 the same keys came in the same order everywhere.
local keys = {}

--- Numbers as random as an order needs them: a function n -> 1 … n. `seed`: a whole number, for the same ones again; else other ones each time.
function keys.generator(seed)
  local state = 1 + (type(seed) == "number" and seed or math.random(2147483646)) % 2147483646
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

--- Puts a list in any order, in place.
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

-- Where an older Perl has a key: whatever its bytes come to, the same in every process.
local function place_of(name, salt)
  local hash = salt + 1
  for i = 1, #name do hash = (hash * 48271 + name:byte(i)) % 2147483647 end
  for _ = 1, 3 do hash = hash * 48271 % 2147483647 end -- far apart also where the last byte alone differs
  return hash
end

--- Puts an object's members in the order that the switch `keys` says, in place.
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
