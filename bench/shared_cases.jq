# The table of part A in Markdown. Input: the objects of shared_cases.sh, as an array.
#
# The truth is what each one's packets cost in bursts in which there are no others: how much
# the exact time of the softirqs rises from few to many packets in a burst, by packet, times
# the packets of the bursts with both. What a burst costs however many packets it has (cold
# caches, the polls) is no VM's. Means of the rounds' middle half, of the truth too.
def middle: sort | (length / 4 | floor) as $cut | .[$cut : length - $cut] | add / length;
def number: . * 10 | round | . / 10 | tostring;
# s of softirqs for a burst of so many packets of a user that is alone in it
def burst($user; $frames): .run.users[$user] | .alone_s / .tagged_packets * $frames;
# cost(FEW; MANY): s a packet; the numbers of the users
def cost($few; $many): .alone_frames as [$least, $most]
	| (burst($many; $most) - burst($few; $least)) / ($most - $least);

["bytes", "packets", "affine_default", "affine", "causal"] as $policies
| [group_by([.direction, .sizes, .frames])[] | . as $rounds
	| [map(cost(2; 4)), map(cost(3; 5)) | middle] as $costs
	| (map([cost(2; 4) * .run.users[0].tagged_packets, cost(3; 5) * .run.users[1].tagged_packets]
		| .[0] / (.[0] + .[1])) | middle) as $truth
	| {direction: .[0].direction, sizes: .[0].sizes, frames: .[0].frames, $costs, $truth,
	   points: ($policies | map(. as $policy
		| ([$rounds[].run[$policy] | .[0] / (.[0] + .[1])] | middle - $truth) * 100)),
	   loss_ns: ([$rounds[].run | . as $run | $policies[] | (. as $policy | ($run[$policy] | add) - $run.net_rx_s) | fabs * 1e9 | round] | max),
	   untagged: ([$rounds[].run.users[] | select(.packets > 0) | (.tagged_packets - .packets | fabs) / .packets] | max),
	   lost: ([$rounds[].run.lost] | add)}] as $cases
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
  "Where both have the same frames the truth is off by \([$cases[] | select(.sizes[0] == .sizes[1])
	| (.truth - .frames[0] / (.frames | add)) * 100 | fabs] | "\(max | number) at most, \(add / length | number) in the mean").",
  "Packets tagged and counted differ by \([$cases[].untagged] | max * 1000 | round / 10) % at most in a round. Largest difference between the parts and the whole: \([$cases[].loss_ns] | max) ns. Batches lost: \([$cases[].lost] | add)."
