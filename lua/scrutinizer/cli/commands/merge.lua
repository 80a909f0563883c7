--- `scrutinizer merge`: joins the slices of a sharded report into one file.

local shard = require "scrutinizer.cli.shard"

return function(root)
  local command = root:command("merge", "Join the slices that report --shard wrote, in order. Refuses slices that do not belong together.",
    "Example: scrutinizer merge -o top.csv top.csv.*-of-10")
  command:argument("slices", "Files of the slices; their manifests must be beside them."):args "+":argname "<slice>"
  command:option("-o --output", "The file to write."):argname "<file>":count(1)
  return {
    merge = function(args)
      local paths = {}
      for _, path in ipairs(args.slices) do
        if not path:find "%.manifest$" then paths[#paths + 1] = path end
      end
      return shard.merge(paths, args.output)
    end,
  }
end
