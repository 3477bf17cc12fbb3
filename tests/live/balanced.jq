# For each interval of `kvmperf stat -f json`: do the books balance? Prints the
# accounts that don't; nothing when all is well.
def sum(f): reduce f as $x (0; . + $x);
def near(a; b; limit): ((a - b) | fabs) <= limit;

. as $i
| ($i.capacity_s * 1e-6) as $limit
| (sum($i.vms[].total_s) + $i.host.processes_s + $i.host.kernel_s
   + $i.host.shared_unattributed_s + $i.self_s + $i.idle_s) as $total
| (if near($total; $i.capacity_s; $limit) then empty
   else "interval \($i.start): accounts sum to \($total) of \($i.capacity_s)" end),
  (if near($i.cpus * $i.duration_s; $i.capacity_s; $limit) then empty
   else "interval \($i.start): capacity is not CPUs x duration" end),
  ($i | .. | numbers | select(. < 0) | "interval \($i.start): negative figure \(.)"),
  (if near(sum($i.host.shared_unattributed_modules[]); $i.host.shared_unattributed_s; $limit)
   then empty else "interval \($i.start): unattributed modules" end),
  ($i.vms[]
   | . as $v
   | (if near(.hypervisor_s; .vmm_s + .kernel_s + .shared_s; $limit) then empty
      else "\(.name): hypervisor_s" end),
     (if near(.total_s; .guest_s + .hypervisor_s; $limit) then empty
      else "\(.name): total_s" end),
     (if near(sum(.vmm_dsos[]); .vmm_s; $limit) then empty else "\(.name): vmm_dsos" end),
     (if near(sum(.kernel_modules[]); .kernel_s; $limit) then empty
      else "\(.name): kernel_modules" end),
     (if near(sum(.shared_modules[]); .shared_s; $limit) then empty
      else "\(.name): shared_modules" end),
     (if .guest_user_s == null or near(.guest_user_s + .guest_kernel_s; .guest_s; $limit)
      then empty else "\(.name): guest split" end),
     (if near(sum(.threads[] | .guest_s); .guest_s; $limit) and
         near(sum(.threads[] | .vmm_s); .vmm_s; $limit) and
         near(sum(.threads[] | .kernel_s); .kernel_s; $limit) and
         (.ready_s == null or near(sum(.threads[] | .ready_s); .ready_s; $limit))
      then empty else "\(.name): threads" end))
