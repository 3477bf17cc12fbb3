# Compares one interval of kvmperf with kvmload's truth over the same time.
# Input: --slurpfile truth (lines of --truth-interval), --slurpfile stat (one
# interval). Prints, per VM: errors in points of one CPU of guest, vmm and
# kernel, ready time and its truth in seconds.
# Interrupts that hit a burst (about 2 % of the time on the development machines)
# are in the truth's user and kernel time but not in its guest time. To the
# kernel's accounting, and so to kvmperf, they are the burst's: guest time is all
# that the VM was charged beyond user and kernel time.
def at($lines; $time):
  ([$lines[] | select(.time <= $time)] | last) as $a
  | ([$lines[] | select(.time > $time)] | first) as $b
  | if $a == null or $b == null then error("the truth does not cover \($time)") else
    (($time - $a.time) / ($b.time - $a.time)) as $f
    | [range($a.vms | length) as $v
       | reduce ("guest_s", "user_s", "kernel_s", "ready_s") as $k
           ({pid: $a.vms[$v].pid};
            .[$k] = $a.vms[$v][$k] + $f * ($b.vms[$v][$k] - $a.vms[$v][$k]))]
    end;

$stat[0] as $i
| at($truth; $i.start) as $from
| at($truth; $i.start + $i.duration_s) as $to
| range($from | length) as $v
| ($i.vms[] | select(.pid == $from[$v].pid)) as $m
| ($to[$v].guest_s - $from[$v].guest_s) as $g
| ($to[$v].user_s - $from[$v].user_s) as $u
| ($to[$v].kernel_s - $from[$v].kernel_s) as $k
| (100 / $i.duration_s) as $points
| {vm: $m.name,
   guest: (($m.guest_s - ($m.total_s - $u - $k)) * $points),
   vmm: (($m.vmm_s - $u) * $points),
   kernel: (($m.kernel_s - $k) * $points),
   ready_s: $m.ready_s, ready_truth_s: ($to[$v].ready_s - $from[$v].ready_s),
   total_s: $m.total_s, unburst_s: ($m.total_s - $g - $u - $k)}
