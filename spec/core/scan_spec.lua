-- Every instruction set's scanner gives what plain loops over single bytes give. C alone: proved once, on Lua 5.4.

if _VERSION ~= "Lua 5.4" then return end

local support = require "spec.support"

local OUT = os.getenv "OUT" or "build/lua5.4"
local ALONE = "env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL "

describe("the scanners", function()
  it("agree on random and adversarial bytes, at every alignment and length, and read nothing behind them", function()
    local out = support.shell(ALONE .. "make -s scan-agree LUA=lua5.4 2>&1 && " .. ALONE .. OUT .. "/scan_agree 2>&1; echo status $?")
    assert.matches("agree: [%l%d ]*portable\nstatus 0\n$", out)
    if support.shell("uname -m"):find "x86_64" then assert.matches("sse2", out) end
    local cpu = support.shell "cat /proc/cpuinfo"
    if cpu:find " avx2 " then assert.matches("avx2", out) end
    if cpu:find " avx512bw " and not support.sanitized then assert.matches("avx512", out) end
  end)

  it("agree on 64-bit ARM, as an emulator runs it", function()
    local out = support.shell(ALONE .. "make -s scan-agree-arm LUA=lua5.4 2>&1 && " .. ALONE .. "qemu-aarch64-static " .. OUT
      .. "/scan_agree_arm 2>&1; echo status $?")
    assert.equal("agree: neon portable\nstatus 0\n", out)
  end)
end)
