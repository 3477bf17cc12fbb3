# How far guest time is from the guest's own TSC. Input: --slurpfile truth (lines of
# kvmload's --truth-interval), --slurpfile stat (intervals). Prints, per interval and
# VM, shares in points of one CPU. Run it with -L and this folder.
include "guest_truth";

$stat[] as $i
| (100 / $i.duration_s) as $points
| $truth[0].vms[].pid as $pid
| ($i.vms[] | select(.pid == $pid)) as $m
| (truth($truth; $i.start; $i.start + $i.duration_s; $pid).guest * $points) as $guest
| {vm: $m.name, correction: $i.source.irqs_off_correction,
   exits_hz: ($m.exits / $i.duration_s), truth: $guest,
   guest: ($m.guest_s * $points), error: ($m.guest_s * $points - $guest),
   error95: ($m.error95_s.guest * $points),
   world_switch: (($m.kernel_modules["kvm/world-switch"] // 0) * $points)}
