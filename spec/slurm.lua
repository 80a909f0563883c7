--- For specs: Slurm from Debian's packages, with four nodes on this machine: slurmctld, four slurmd, munge with a key of its own, loopback, in a
--- temporary folder.
---
---     local slurm = slurm.start()
---     slurm.run "sbatch …"                 -- what a command of Slurm prints
---     slurm.wait(seconds)                  -- until no job is left; raises with squeue's list
---     slurm.kill_node(1)                   -- kills a node's slurmd and its tasks at once
---     slurm.stop()                         -- ends all of it and removes the folder

local support = require "spec.support"

local slurm = {}
local quote = support.quote

-- cred_expire is also how long a task waits before it runs again; under 5, Slurm takes 120.
local CONFIG = [[
ClusterName=spec
SlurmctldHost=HOST(127.0.0.1)
SlurmctldPort=PORT0
AuthType=auth/munge
AuthInfo=socket=FOLDER/munge/socket,cred_expire=5
SlurmUser=USER
SlurmdUser=USER
StateSaveLocation=FOLDER/state
SlurmdSpoolDir=FOLDER/spool/%n
SlurmctldPidFile=FOLDER/slurmctld.pid
SlurmdPidFile=FOLDER/slurmd.%n.pid
SlurmctldLogFile=FOLDER/slurmctld.log
SlurmdLogFile=FOLDER/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=5
KillWait=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000
PartitionName=low Nodes=ALL Default=YES PriorityTier=1
PartitionName=high Nodes=ALL PriorityTier=10
]]

--- What is missing here; nil: nothing.
function slurm.missing()
  for _, program in ipairs { "slurmctld", "slurmd", "munged", "sbatch" } do
    if support.shell("command -v " .. program) == "" then return program end
  end
end

-- Ports that nothing uses now.
local function free_ports(count)
  local ports = {}
  for port in support.shell(([[python3 -c '
import socket
all = [socket.socket() for _ in range(%d)]
for s in all: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in all))']]):format(count)):gmatch "%d+" do ports[#ports + 1] = port end
  return ports
end

local function write_config(folder)
  local host, ports = support.shell "hostname -s":match "%S+", free_ports(5)
  local names = { HOST = host, PORT0 = ports[1], FOLDER = folder, USER = support.shell "id -un":match "%S+" }
  local list = { (CONFIG:gsub("%u[%u%d]+", names)) }
  for node = 0, 3 do
    list[#list + 1] = ("NodeName=n%d NodeHostname=%s NodeAddr=127.0.0.1 Port=%s CPUs=1\n"):format(node, host, ports[node + 2])
  end
  for line in support.read "examples/slurm/slurm.conf":gmatch "[^\n]+" do list[#list + 1] = line .. "\n" end
  support.write(folder .. "/slurm.conf", table.concat(list))
  support.write(folder .. "/cgroup.conf", "CgroupPlugin=cgroup/v1\n") -- which needs none: a bare root has no cgroups
end

-- A shell's function: the processes whose environment has the folder's slurm.conf, and a variable that begins so.
local OF_FOLDER = [[lines() { grep -lzxF SLURM_CONF=%s/slurm.conf /proc/[0-9]*/environ 2>/dev/null |
  xargs -r grep -lz "^$1" 2>/dev/null | tr -dc '0-9\n'; }
]]

--- Starts it.
function slurm.start()
  local folder, pids = support.folder(), {}
  local environment = ("env -u LD_PRELOAD SLURM_CONF=%s/slurm.conf PATH=%s:$PATH "):format(folder, folder)
  local server = { folder = folder }
  local function launch(words)
    local pid = support.shell(("%s setsid %s >>%s/out 2>&1 </dev/null & echo $!"):format(environment, words, folder)):match "%d+"
    pids[#pids + 1] = pid
    return pid
  end
  function server.run(words)
    return support.shell(("cd %s && %s %s 2>&1"):format(folder, environment, words))
  end
  function server.wait(seconds)
    for _ = 1, seconds * 4 do
      if server.run "squeue -h" == "" then return end
      support.shell "sleep 0.25"
    end
    error(server.run "squeue; tail -n 20 slurmctld.log", 0)
  end
  -- A node's slurmd, and what it has started: stepd, script and client, which are in a session of its own.
  function server.kill_node(node)
    -- Their parent, slurmstepd, before the tasks: it would still say that they have failed.
    support.shell(OF_FOLDER:format(folder) .. ([[all=$(lines SLURMD_NODENAME=n%d)
      for one in $all; do parent=$(ps -o ppid= -p $one); grep -q slurmstepd /proc/$((parent))/comm && kill -9 $parent; done 2>/dev/null
      kill -9 %s $all 2>/dev/null]]):format(node, server.nodes[node]))
  end
  function server.stop()
    local all = table.concat(pids, " ")
    support.shell(("kill %s 2>/dev/null; sleep 0.5; kill -9 %s 2>/dev/null"):format(all, all))
    support.shell(OF_FOLDER:format(folder) .. ("kill -9 $(lines SLURM) 2>/dev/null; rm -rf %s"):format(quote(folder)))
  end
  support.shell(([[cd %s && mkdir state munge spool spool/n0 spool/n1 spool/n2 spool/n3 && chmod 700 munge &&
    head -c 128 /dev/urandom >munge/key && chmod 400 munge/key]]):format(folder))
  write_config(folder)
  launch(("munged --foreground --force --key-file=%s/munge/key --socket=%s/munge/socket --pid-file=%s/munge/pid --log-file=%s/munge/log "
    .. "--seed-file=%s/munge/seed --num-threads=2"):format(folder, folder, folder, folder, folder))
  support.shell(("n=0; while [ $n -lt 50 ] && ! [ -S %s/munge/socket ]; do sleep 0.1; n=$((n+1)); done"):format(folder))
  launch "slurmctld -D -i"
  server.nodes = {}
  for node = 0, 3 do server.nodes[node] = launch("slurmd -D -N n" .. node) end
  for _ = 1, 100 do
    if server.run "sinfo -h -o '%D %T' -p low" == "4 idle\n" then return server end
    support.shell "sleep 0.2"
  end
  local said = server.run "sinfo; tail -n 5 out; tail -n 5 slurmctld.log"
  server.stop()
  error("Slurm did not start: " .. said, 0)
end

return slurm
