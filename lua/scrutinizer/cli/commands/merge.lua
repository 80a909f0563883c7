--- `scrutinizer merge`: joins the slices of a sharded report into one file.

local shard = require "scrutinizer.cli.shard"

return function(root)
  local command = root:command("merge", "Join the slices that report --shard left, in order. Refuses slices that do not fit together.",
    "Example: scrutinizer merge -o top.csv top.csv.*-of-10")
  command:argument("slices", "The slices' files; their manifests lie beside them."):args "+":argname "<slice>"
  command:option("-o --output", "The whole file."):argname "<file>":count(1)
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
