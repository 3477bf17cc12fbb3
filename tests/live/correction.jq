# How far guest time is from the guest's own TSC. Input: --slurpfile truth (lines of
# kvmload's --truth-interval), --slurpfile stat (intervals). Prints, per interval and
# VM, shares in points of one CPU. A stall (see kvmload --help) is the guest's: the
# machine below stood still while it ran.
def guest: .guest_s + .guest_stall_s;
def at($lines; $time; $v):
  ([$lines[] | select(.time <= $time)] | last) as $a
  | ([$lines[] | select(.time > $time)] | first) as $b
  | if $a == null or $b == null then error("the truth does not cover \($time)") else
    (($time - $a.time) / ($b.time - $a.time)) as $f
    | {pid: $a.vms[$v].pid,
       guest: (($a.vms[$v] | guest) * (1 - $f) + ($b.vms[$v] | guest) * $f)}
    end;

$stat[] as $i
| (100 / $i.duration_s) as $points
| range($truth[0].vms | length) as $v
| at($truth; $i.start; $v) as $from
| at($truth; $i.start + $i.duration_s; $v) as $to
| ($i.vms[] | select(.pid == $from.pid)) as $m
| (($to.guest - $from.guest) * $points) as $guest
| {vm: $m.name, correction: $i.source.irqs_off_correction,
   exits_hz: ($m.exits / $i.duration_s), truth: $guest,
   guest: ($m.guest_s * $points), error: ($m.guest_s * $points - $guest),
   error95: ($m.error95_s.guest * $points),
   world_switch: (($m.kernel_modules["kvm/world-switch"] // 0) * $points)}
