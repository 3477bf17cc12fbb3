# The tables of bench/accounts.sh. Input: an array of accounts.jq's lines.
def round_to($digits):
  if . == null then "–" else
    pow(10; $digits) as $p | . * $p | round / $p end;
def within($points): [.guest, .vmm, .kernel] | map(fabs) | max <= $points;
def rms(f): map(f * f) | add / length | sqrt;

group_by(.collector, .vms) as $groups
| "| collector | VMs | runs within 1.5 points | root mean square: guest | vmm | kernel | largest of all | ready time, largest error, % | inside error95_s |",
  "|---|---|---|---|---|---|---|---|---|",
  ($groups[]
   | [.[0].collector, .[0].vms,
      "\(map(select(within(1.5))) | length) of \(length)",
      (rms(.guest), rms(.vmm), rms(.kernel) | round_to(2)),
      (map(.guest, .vmm, .kernel | fabs) | max | round_to(2)),
      (map(.ready | values | fabs) | max | round_to(2)),
      "\(map(.covered) | add) of \(map(.figures) | add)"]
   | "| " + (map(tostring) | join(" | ")) + " |"),
  "",
  "| collector | VMs | run | guest, points | vmm | kernel | ready time, s | its error, % |",
  "|---|---|---|---|---|---|---|---|",
  ($groups[][]
   | [.collector, .vms, .run, (.guest, .vmm, .kernel | round_to(2)),
      (.ready_truth_s, .ready | round_to(2))]
   | "| " + (map(tostring) | join(" | ")) + " |")
