--- Shell completion: argparse's script completes commands, options and choices; for bash we add the values of some options.

local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local scrutinizer = require "scrutinizer"
local query_arguments = require "scrutinizer.cli.query_arguments"

local completion = {}

-- The keys of --where and --exclude, each with its "=".
local KEYS = table.concat(check.sorted_keys(conditions.keys), "= ") .. "="

-- Completes an option's value with words instead of file names.
local function complete_with(script, option, list)
  local head = option:gsub("%-", "%%-") .. "%)\n%s+COMPREPLY=%(%$%(compgen "
  return (script:gsub("(" .. head .. ")%-f", function(kept) return kept .. '-W "' .. list .. '"' end))
end

-- Completes report types after the commands that take one.
local function complete_types(script)
  local types = query_arguments.words(scrutinizer.report_types)
  return (script:gsub("(\n    if %[%[ \"%$cur\" = %-%* %]%]; then\n[^\n]*\n)(    fi\n}\n)", function(options, rest)
    return options .. '    elif [[ " report explain series " = *" $cmd "* && "$prev" = "$cmd" ]]; then\n'
      .. '        COMPREPLY=($(compgen -W "' .. types .. '" -- "$cur"))\n' .. rest
  end))
end

local function bash(root)
  local script = root:get_bash_complete()
  script = complete_with(script, "--range", query_arguments.words(scrutinizer.date_ranges))
  script = complete_with(complete_with(script, "--where", KEYS), "--exclude", KEYS)
  return complete_types(script)
end

local SHELLS = {
  bash = bash,
  zsh = function(root) return root:get_zsh_complete() end,
  fish = function(root) return root:get_fish_complete() end,
}

--- Adds `--completion`.
---@param root table argparse's
function completion.option(root)
  root:option("--completion", 'Print a completion script and exit: eval "$(scrutinizer --completion bash)"'):choices { "bash", "zsh", "fish" }
    :action(function(_, _, shell)
      io.write(SHELLS[shell](root))
      os.exit(0, true)
    end)
end

return completion
