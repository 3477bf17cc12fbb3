# One run of bench/accounts.sh. Input: the lines of tests/live/truth.jq, one a VM;
# $stat is the interval, $run, $vms and $collector say which run it was. Of each
# error, the one of the VM where it is largest.
def largest(f): max_by(f | fabs) | f;

[inputs] as $vm
| if ($vm | length) != $vms then error("not \($vms) VMs") else . end
| ($vm | map(.ready_truth_s) | add) as $ready_truth
| {$collector, $vms, $run,
   guest: ($vm | largest(.guest)),
   vmm: ($vm | largest(.vmm)),
   kernel: ($vm | largest(.kernel)),
   ready_truth_s: $ready_truth,
   ready: (if $ready_truth < 0.1 then null
           else ($vm | largest((.ready_s - .ready_truth_s) / .ready_truth_s * 100)) end),
   # How many of the figures are off by no more than kvmperf says.
   figures: (3 * $vms),
   covered: ([$vm[] as $v
              | $stat[0].vms[] | select(.name == $v.vm) as $s
              | ("guest", "vmm", "kernel") as $k
              | select(($v[$k] | fabs) * $stat[0].duration_s / 100 <= $s.error95_s[$k])]
             | length)}
