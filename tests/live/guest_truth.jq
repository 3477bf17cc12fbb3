# kvmload's truth between two moments. $lines: those of its --truth-interval. A stall
# (kvmload --help) is the guest's: the machine below stood still while it ran.

# An interval's VMs whose truth is known: there may be others on the host.
def known_vms($lines): [$lines[0].vms[].pid] as $pids
  | .vms[] | select(.pid as $pid | any($pids[]; . == $pid));

# The last line not after the moment.
def line_before($lines; $time):
  {low: 0, high: ($lines | length)}
  | until(.high - .low <= 1;
      ((.low + .high) / 2 | floor) as $middle
      | if $lines[$middle].time <= $time then .low = $middle else .high = $middle end)
  | .low;

def at($lines; $time; $pid):
  line_before($lines; $time) as $i
  | if $lines[$i].time > $time or $i + 1 >= ($lines | length)
    then error("the truth does not cover \($time)") else . end
  | [$lines[$i, $i + 1] | {time} + (.vms[] | select(.pid == $pid))] as [$a, $b]
  | (($time - $a.time) / ($b.time - $a.time)) as $f
  | def between(field): ($a | field) + $f * (($b | field) - ($a | field));
  {guest: between(.guest_s), stall: between(.guest_stall_s), ready: between(.ready_s),
   cpu: between(.cpu_s)};

# Seconds in guest mode and on a CPU. Stalls are what was no wait for a CPU.
def truth($lines; $start; $until; $pid):
  at($lines; $start; $pid) as $from | at($lines; $until; $pid) as $to
  | ($to.stall - $from.stall - $to.ready + $from.ready) as $stall
  | {guest: ($to.guest - $from.guest + ([$stall, 0] | max)), cpu: ($to.cpu - $from.cpu)};
