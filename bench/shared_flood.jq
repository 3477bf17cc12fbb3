# The table of part B in Markdown. Input: the windows of shared_flood.sh, as an array: without a
# flood, with one, without, and so on. Percent of one CPU; means of all rounds, and from the
# lowest to the highest where that is told. Truth: what the guest was charged right before and
# after, without a flood, times what it ran of what it ran then.
def mean: add / length;
def number: . * 10 | round | . / 10;
def span: "\(mean | number) (\(min | number) to \(max | number))";
def some(f): [.[] | f | select(. != null)] | if length > 0 then mean | number else "?" end;
. as $windows
| [range(1; length; 2) | . as $i
	| def alone(f): [$windows[$i - 1, $i + 1] | f] | mean;
	  alone(.compute.total_s / .duration_s * 100) as $charged
	| $windows[$i]
	| .truth = .ran / alone(.ran) * $charged
	| .progress = .progress_per_s / alone(.progress_per_s) * $charged
	| .charged = .compute.total_s / .duration_s * 100] as $all
| "| flood | frames/s | truth | charged | off, points | progress | schedstat | pidstat | perf | neighbour, shared |",
  "|---|---|---|---|---|---|---|---|---|---|",
  (("light", "medium", "full") as $level | [$all[] | select(.level == $level)]
	| [$level, (map(.frames_per_s) | mean | round), (map(.truth) | span), (map(.charged) | mean | number),
	   (map(.charged - .truth) | span), (map(.progress) | span), some(.schedstat * 100), some(.pidstat),
	   some(if .perf then .perf * 100 else null end), (map(.neighbour.shared_s / .duration_s * 100) | mean | number)]
	| "| " + (map(tostring) | join(" | ")) + " |"),
  "",
  "Without a flood: charged \([$windows[] | select(.level == "none") | .compute.total_s / .duration_s * 100] | span); "
	+ "its progress varied by \([$windows[] | select(.level == "none") | .progress_per_s] | (max - min) / mean * 100 | number) %. "
	+ "Books: largest difference of sum and capacity \([$windows[] | .sum_s - .capacity_s | fabs] | max) s."
