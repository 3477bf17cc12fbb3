# One load of bench/accuracy.sh: $case, $truth (lines of kvmload), $sampled and $exact
# (intervals of kvmperf), $peers (what others said), $stolen (the parts of a guest's time that
# a hypervisor below took before and after the load). Prints a line for each tool, window
# and VM; times in points of one CPU.
include "guest_truth";

# Of the time that a guest had, its own and what was taken of it below.
def taken_below: ($stolen | add / length) as $part | . * $part / (1 - $part);

def judged($tool; $start; $duration; $pid; $guest; $more):
  truth($truth; $start; $start + $duration; $pid) as $true
  | {case: $case, tool: $tool, pid: $pid, truth: ($true.guest / $duration * 100),
     taken_below: ($true.guest / $duration * 100 | taken_below),
     error: (($guest - $true.guest) / $duration * 100)} + $more;

def world_switch: .kernel_modules["kvm/world-switch"] // 0;

# The VM's own CPU time with the interrupt work that was taken out of its threads.
def own: [.threads[] | .guest_s + .vmm_s + .kernel_s + .interrupts_s] | add;

($sampled[] as $i | $i | known_vms($truth) as $v
 | judged("corrected"; $i.start; $i.duration_s; $v.pid; $v.guest_s;
     {exits_hz: ($v.exits / $i.duration_s),
      error95: ($v.error95_s.guest / $i.duration_s * 100),
      correction: $i.source.irqs_off_correction}),
   judged("uncorrected"; $i.start; $i.duration_s; $v.pid; $v.guest_s + ($v | world_switch);
     {})),
($exact[] as $i | select($i.source.exact) | $i | known_vms($truth) as $v
 | judged("exact"; $i.start; $i.duration_s; $v.pid; $v.guest_s;
     {error95: ($v.error95_s.guest / $i.duration_s * 100),
      correction: $i.source.irqs_off_correction})),
($peers[] | judged(.tool; .start; .until - .start; .pid; .guest; {})),
# All windows together, which follow each other without a gap.
($sampled[0] as $first | $sampled[-1] as $last
 | ($first | known_vms($truth) | .pid) as $pid
 | truth($truth; $first.start; $last.start + $last.duration_s; $pid) as $true
 | {case: $case, tool: "own CPU time", pid: $pid,
    error: (([$sampled[].vms[] | select(.pid == $pid) | own] | add) / $true.cpu * 100 - 100)})
