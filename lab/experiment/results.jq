# SPDX-License-Identifier: GPL-2.0-or-later
# Tables from the experiment's results.json. Percentages are of one CPU.

def mean: if length == 0 then null else add / length end;

def percent($seconds; $interval):
  if $seconds == null then null else $seconds / $interval * 100 end;

# VM n of the set-up by the UUID that guest/start gives it: a real host may have
# VMs of its own.
def vm($n): ("6b766d70-6572-4f00-8000-" + ("000000000000\($n)"[-12:])) as $uuid
  | [.kvmperf.vms[] | select(.uuid == $uuid)][0];
def own_vms: range(1; .vms + 1) as $n | vm($n) | values;

# Host kernel time by module, in the VM's own threads and in shared work together.
def modules: (.kernel_modules // {}) as $own
  | (.shared_modules // {}) as $shared
  | (($own | keys) + ($shared | keys) | unique) as $names
  | [$names[] | {key: ., value: (($own[.] // 0) + ($shared[.] // 0))}] | from_entries;

# The points for figures: not those in which others had the outer machine's CPUs.
def sound: .points | map(select(.starved | not));

def server_rows:
  ["vms", "rate", "run", "server", "reply_rate", "connection_ms", "response_ms", "replies",
   "requests", "errors", "timeouts", "resets", "client_limit", "guest_pct", "guest_user_pct",
   "guest_kernel_pct", "vmm_pct", "kernel_pct", "shared_pct", "hypervisor_pct", "total_pct",
   "ready_pct", "exits_per_s", "host_processes_pct", "host_kernel_pct", "unattributed_pct",
   "idle_pct", "idle_proc_stat_pct", "balance", "starved"],
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
     + [percent($point.proc_stat.idle_s; $point.proc_stat | (.idle_s + .busy_s) / $point.kvmperf.cpus),
        $point.unbalanced == [], $point.starved])
  | @csv;

def module_rows:
  ["vms", "rate", "run", "server", "side", "module", "pct"],
  (.points[] | . as $point | .kvmperf.duration_s as $t | own_vms as $vm
   | $vm
   | (["kernel", "kernel_modules"], ["shared", "shared_modules"]) as [$side, $map]
   | ($vm[$map] // {}) | to_entries[]
   | [$point.vms, $point.rate, $point.run, $vm.name, $side, .key, percent(.value; $t)])
  | @csv;

def title($vms): if $vms == 0 then "no VM" elif $vms == 1 then "1 VM" else "\($vms) VMs" end;

# The points of a set-up as a block of gnuplot's, with its title above.
def block($vms; rows): "\"\(title($vms))\"",
  (rows | map(. // "NaN" | tostring) | join(" ")), "", "";

def mean_least_most: mean, min, max;

# A block for each number of VMs: rate; response time, then reply rate, each as mean,
# least and most over servers and runs.
def curve_blocks:
  sound | group_by(.vms)[] | .[0].vms as $vms
  | block($vms; group_by(.rate)[]
      | [.[0].rate, ([.[].servers[].connection_ms.mean | values] | mean_least_most),
         ([.[].servers[].reply_rate] | mean_least_most)]);

# The same with the hypervisor's CPU time for each reply, in ms: over all VMs, then
# least and most over the runs.
def effort_per_reply:
  (map(.servers[].reply_rate) | add) as $replies
  | if $replies > 0
    then (map(.kvmperf.duration_s as $t | own_vms.hypervisor_s / $t * 1000) | add) / $replies
    else null end;
def effort_blocks:
  sound | map(select(.vms > 0)) | group_by(.vms)[] | .[0].vms as $vms
  | block($vms; group_by(.rate)[]
      | [.[0].rate, effort_per_reply] + ([.[] | [.] | effort_per_reply | values] | [min, max]));

# The modules with a part of their own, in the order of the stack: those of the
# virtual machine's path first, whatever their size, then the largest others.
def named_modules($points):
  (reduce ($points[] | own_vms | modules | to_entries[]) as $entry
     ({}; .[$entry.key] += $entry.value)) as $total
  | ["kvm", "kvm_amd", "kvm_intel", "vhost", "vhost_net", "tun", "bridge", "e1000", "veth", "net"]
    as $path
  | ($path | map(select($total[.]))) as $first
  | $first + ($total | del(.[$first[]]) | to_entries | sort_by(-.value) | map(.key)
              | .[:12 - ($first | length)]);

# The points with the most VMs.
def largest: (map(.vms) | max) as $most | map(select(.vms == $most));

def stack_parts: ["guest user", "guest kernel", "vmm"] + named_modules(sound | largest) + ["other"];

# One VM's share of an interval by the parts of the stack, in % of one CPU.
def stack($parts; $interval): modules as $modules
  | {"guest user": (.guest_user_s // .guest_s), "guest kernel": (.guest_kernel_s // 0), vmm: .vmm_s}
    as $modes
  | [$parts[:-1][] as $part | $modes[$part] // $modules[$part] // 0]
  | . + [([$modes[], $modules[]] | add) - add]
  | map(. / $interval * 100);

# The CPU use of each VM of the largest set-up: a row for each rate and VM with the
# bar's place, its label and the height up to which each part reaches.
def stack_table:
  stack_parts as $parts | sound | largest | .[0].vms as $most
  | group_by(.rate) | to_entries[] | .key as $place | .value as $group
  | range(1; $most + 1) as $n
  | [$group[] | .kvmperf.duration_s as $t | vm($n) | values | stack($parts; $t)]
  | select(length > 0)
  | (transpose | map(mean)) as $heights
  | [$place * ($most + 1) + $n,
     "\"\($n)\(if $n == (($most + 1) / 2 | floor) then "\\n\($group[0].rate)/s" else "" end)\"",
     (range(1; ($heights | length) + 1) as $i | $heights[:$i] | add)]
  | map(tostring) | join(" ");

# What each part has as its colour, in all figures of all hosts: greens for the guest,
# blues for the hypervisor proper, oranges for the network.
def colour($others): {"guest user": "#1b7837", "guest kernel": "#a6dba0", vmm: "#762a83",
    kvm: "#08519c", kvm_amd: "#6baed6", kvm_intel: "#6baed6", vhost: "#7f2704",
    vhost_net: "#a63603", tun: "#d94801", bridge: "#f16913", e1000: "#fdae6b", veth: "#fdae6b",
    net: "#fdd0a2", other: "#c8c8c8"}[.]
  // ["#ffd92f", "#e78ac3", "#66c2a5", "#8da0cb", "#b3b3b3", "#e5c494"][. as $name | $others | index($name)]
  // "#999999";

# gnuplot's command for the bars, the whole first: each part hides what is below it.
def stack_plot: stack_parts as $parts
  | ($parts - ["guest user", "guest kernel", "vmm", "kvm", "kvm_amd", "kvm_intel", "vhost", "vhost_net",
               "tun", "bridge", "e1000", "veth", "net", "other"]) as $others
  | [$parts | to_entries | reverse[]
     | "data using 1:\(.key + 3):xtic(2) with boxes lc rgb '\(.value | colour($others))' title '\(.value)'"]
  | "plot " + join(", ");

# Who holds the CPUs, as Markdown: for each set-up with VMs the last rate at which at least 95 %
# of the requests are answered in time, and the first at which they are not.
def answered: ([.[].servers[].replies_2xx] | add) / ([.[].servers[].connections] | add);
def cpu_holders($parts):
  [.[] | .kvmperf as $k | $k.duration_s as $t
   | [([own_vms | stack($parts; $t)] | transpose | map(add))[],
      ($k.host | .shared_unattributed_s, .processes_s, .kernel_s | . / $t * 100),
      ($k.self_s, $k.idle_s | . / $t * 100)]]
  | transpose | map(mean);
def knee_table:
  stack_parts as $parts
  | [sound | map(select(.vms > 0)) | group_by(.vms)[] | group_by(.rate)
     | (map(select(answered >= 0.95)) | last), (map(select(answered < 0.95)) | first)
     | values] as $columns
  | ["% of one CPU", ($columns[] | "\(title(.[0].vms)), \(.[0].rate)/s")],
    ["---", ($columns[] | "--:")],
    ["answered", ($columns[] | "\(answered * 100 | round) %")],
    ["response, ms", ($columns[] | [.[].servers[].connection_ms.mean | values] | mean
                      | if . == null then "none" else round end)],
    ([[($parts | map("VMs: " + .))[], "shared, no VM's", "host processes", "host kernel", "kvmperf", "idle"],
      ($columns[] | cpu_holders($parts) | map(. * 10 | round / 10))] | transpose[])
  | "| " + (map(tostring) | join(" | ")) + " |";
