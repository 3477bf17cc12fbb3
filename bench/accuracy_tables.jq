# The tables of bench/accuracy.sh. Input: an array of accuracy.jq's lines.
def rounded: if . == null then "–" else . * 100 | round / 100 end;
def mean: if length == 0 then null else add / length end;
# Of one tool: the mean of its errors, and the worst.
def errors($tool):
  map(select(.tool == $tool) | .error)
  | if length == 0 then "–" else
      "\(mean | rounded) (\(max_by(fabs) | rounded))" end;
# What a hypervisor below took is the guest's, too: no account of this host can have it.
def with_taken: map(.error -= .taken_below);
def inside: map(select(.error95 and .correction == "calibrated"))
  | "\(map(select((.error | fabs) <= .error95)) | length) of \(length)";

"| load | exits/s | true guest | taken below | corrected | ± | inside ± | strictly | uncorrected | exact mode | gtime | pidstat | perf kvm | own CPU time, % |",
"|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
(reduce .[] as $line ({}; .[$line.case] += [$line])
 | to_entries[]
 | .value as $lines | ($lines | map(select(.tool == "corrected"))) as $corrected
 | [.key, ($corrected | map(.exits_hz) | mean | round),
    ($corrected | map(.truth) | mean | rounded),
    ($corrected | map(.taken_below) | mean | rounded),
    ($corrected | with_taken | errors("corrected")),
    ($corrected | map(.error95) | mean | rounded),
    ($corrected | with_taken | inside), ($lines | errors("corrected")),
    ($lines | errors("uncorrected", "exact", "gtime", "pidstat", "perf kvm")),
    ($lines | map(select(.tool == "own CPU time") | .error) | max_by(fabs)
     | . * 1000 | round / 1000)]
 | "| " + (map(tostring) | join(" | ")) + " |"),
"",
"True guest: points of one CPU, by the guest's TSC, and what a hypervisor below took meanwhile (stolen_time).",
"Tools: mean error of all windows (the worst), points. Corrected: true is what both make up; strictly and all others: the guest's time alone."
