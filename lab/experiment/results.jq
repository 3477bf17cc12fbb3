# SPDX-License-Identifier: GPL-2.0-or-later
# Tables from the experiment's results.json. Percentages are of one CPU.

def mean: if length == 0 then null else add / length end;

def percent($seconds; $interval):
  if $seconds == null then null else $seconds / $interval * 100 end;

# VM n of the set-up is webn for kvmperf.
def vm($n): [.kvmperf.vms[] | select(.name == "web\($n)")][0];

# Host kernel time by module, in the VM's own threads and in shared work together.
def modules: (.kernel_modules // {}) as $own
  | (.shared_modules // {}) as $shared
  | (($own | keys) + ($shared | keys) | unique) as $names
  | [$names[] | {key: ., value: (($own[.] // 0) + ($shared[.] // 0))}] | from_entries;

def server_rows:
  ["vms", "rate", "run", "server", "reply_rate", "connection_ms", "response_ms", "replies",
   "requests", "errors", "timeouts", "resets", "client_limit", "guest_pct", "guest_user_pct",
   "guest_kernel_pct", "vmm_pct", "kernel_pct", "shared_pct", "hypervisor_pct", "total_pct",
   "ready_pct", "exits_per_s", "host_processes_pct", "host_kernel_pct", "unattributed_pct",
   "idle_pct", "idle_proc_stat_pct", "balance"],
  (.points[] | . as $point | .kvmperf.duration_s as $t | range(.servers | length) as $i
   | $point.servers[$i] as $load
   | (if $point.vms == 0 then null else ($point | vm($i + 1)) end) as $vm
   | [.vms, .rate, .run, (if .vms == 0 then "host" else "web\($i + 1)" end),
      $load.reply_rate, $load.connection_ms.mean, $load.response_ms, $load.replies_2xx,
      $load.connections, $load.errors.total, $load.errors.timeout, $load.errors.reset,
      $load.errors.client_limit]
     + [$vm | .guest_s, .guest_user_s, .guest_kernel_s, .vmm_s, .kernel_s, .shared_s,
        .hypervisor_s, .total_s, .ready_s | percent(.; $t)]
     + [if $vm == null then null else $vm.exits / $t end]
     + [$point.kvmperf | .host.processes_s, .host.kernel_s, .host.shared_unattributed_s, .idle_s
        | percent(.; $t)]
     + [percent($point.proc_stat.idle_s; $point.proc_stat | (.idle_s + .busy_s) / 2),
        $point.balance.holds])
  | @csv;

def module_rows:
  ["vms", "rate", "run", "server", "side", "module", "pct"],
  (.points[] | . as $point | .kvmperf.duration_s as $t | .kvmperf.vms[] | . as $vm
   | (["kernel", "kernel_modules"], ["shared", "shared_modules"]) as [$side, $map]
   | ($vm[$map] // {}) | to_entries[]
   | [$point.vms, $point.rate, $point.run, $vm.name, $side, .key, percent(.value; $t)])
  | @csv;

def block($title; rows): "\"\($title)\"", (rows | map(. // "NaN") | map(tostring) | join(" ")), "", "";

def title($vms): if $vms == 0 then "no VM" elif $vms == 1 then "1 VM" else "\($vms) VMs" end;

# A block for each number of VMs: rate, response time, reply rate; means over
# servers and runs.
def curve_blocks:
  .points | group_by(.vms)[] | .[0].vms as $vms
  | block(title($vms); group_by(.rate)[]
      | [.[0].rate, ([.[].servers[].connection_ms.mean | values] | mean),
         ([.[].servers[].reply_rate] | mean)]);

# The same with the hypervisor's CPU time for each reply, in ms.
def effort_blocks:
  .points | map(select(.vms > 0)) | group_by(.vms)[] | .[0].vms as $vms
  | block(title($vms); group_by(.rate)[]
      | ([.[].servers[].reply_rate] | add) as $replies
      | [.[0].rate, if $replies > 0
           then ([.[] | .kvmperf.duration_s as $t | .kvmperf.vms[].hypervisor_s / $t * 1000]
                 | add) / $replies
           else null end]);

# The modules with a column of their own, in the order of the stack: those of the
# virtual machine's path first, whatever their size, then the largest others.
def named_modules($points):
  (reduce ($points[].kvmperf.vms[] | modules | to_entries[]) as $entry
     ({}; .[$entry.key] += $entry.value)) as $total
  | ["kvm", "kvm_amd", "kvm_intel", "vhost", "vhost_net", "tun", "bridge", "e1000"] as $path
  | ($path | map(select($total[.]))) as $first
  | $first + ($total | del(.[$first[]]) | to_entries | sort_by(-.value) | map(.key)
              | .[:9 - ($first | length)]);

# The CPU use of each VM of the largest set-up: a row for each VM and rate, a
# column for each part.
def stack_table:
  (.points | map(.vms) | max) as $most
  | [.points[] | select(.vms == $most)] as $points
  | named_modules($points) as $named
  | (["rate", "vm", "guest user", "guest kernel", "vmm"] + $named + ["other modules"]
     | map("\"\(.)\"") | join(" ")),
    ($points | group_by(.rate)[] | . as $group | range(1; $most + 1) as $n
     | [$group[] | .kvmperf.duration_s as $t | vm($n) | values
        | modules as $modules
        | [(.guest_user_s // .guest_s), (.guest_kernel_s // 0), .vmm_s]
          + [$named[] as $name | $modules[$name] // 0]
          + [[$modules | to_entries[] | select(.key as $key | $named | index($key) | not) | .value]
             | add // 0]
        | map(. / $t * 100)]
     | select(length > 0)
     | [$group[0].rate, $n] + (transpose | map(mean)) | map(tostring) | join(" "));
