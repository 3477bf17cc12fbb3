# The table of part A in Markdown. Input: the objects of shared_cases.sh, as an array.
#
# The truth is what each one's packets cost in the runs in which there were no others: how much
# the exact time of the softirqs rises from few to many packets in a burst, by packet; medians
# of the rounds. What a burst costs however many packets it has (cold caches, the polls) is no
# VM's. Times the packets of the runs with both, since the sender is a process that gets a CPU
# more or less often.
def median: sort | .[(length - 1) / 2 | floor];
def number: . * 10 | round | . / 10 | tostring;
def bursts: .duration_s / 0.005;
# cost(USER; ROUNDS): s a packet, of rounds of all ratios of one pair of sizes
def cost($user; $rounds):
	[$rounds | group_by(.frames[$user])[] | map(.alone[$user])
		| {packets: (map(.users[$user].tagged_packets / bursts) | median),
		   s: (map((.net_rx_s - .net_rx_empty_s) / bursts) | median)}]
	| (.[-1].s - .[0].s) / (.[-1].packets - .[0].packets);

["bytes", "packets", "affine_default", "affine", "causal"] as $policies
| [group_by([.direction, .sizes])[] | . as $all
	| ([0, 1] | map(cost(.; $all))) as $costs
	| group_by(.frames)[] | . as $rounds
	| ([0, 1] | map(. as $user | [$rounds[].both.users[$user].tagged_packets] | add)) as $packets
	| ($costs[0] * $packets[0] / ($costs[0] * $packets[0] + $costs[1] * $packets[1])) as $truth
	| {direction: .[0].direction, sizes: .[0].sizes, frames: .[0].frames, $costs, $truth,
	   points: ($policies | map(. as $policy
		| [$rounds[].both[$policy] | .[0] / (.[0] + .[1])] | sort | (length / 4 | floor) as $cut
		| .[$cut : length - $cut] | (add / length - $truth) * 100)),
	   loss_ns: ([$rounds[].both | . as $both | $policies[] | (. as $policy | ($both[$policy] | add) - $both.net_rx_s) | fabs * 1e9 | round] | max),
	   lost: ([$rounds[] | (.alone[], .both).lost] | add)}] as $cases
| "| direction | bytes | packets | truth, % | " + ($policies | join(" | ")) + " | ns a packet more, alone |",
  "|---|---|---|---|---|---|---|---|---|---|",
  ($cases[] | . as $case
	| [$case.direction, ($case.sizes | join("/")), ($case.frames | join(":")), ($case.truth * 100 | number)]
	+ [$case.points[] | (if . > 0 then "+" else "" end) + number]
	+ [$case.costs | map(. * 1e9 | round) | join(" / ")]
	| "| " + join(" | ") + " |"),
  "",
  "Largest and mean error, points: " + ([range($policies | length) | . as $i
	| [$cases[].points[$i] | fabs] | "\($policies[$i]) \(max | number) and \(add / length | number)"] | join(", ")) + ".",
  "Largest difference between the parts and the whole: \([$cases[].loss_ns] | max) ns. Batches lost: \([$cases[].lost] | add)."
