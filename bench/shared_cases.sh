#!/bin/bash
# Part A of the benchmark of shared work, in a network namespace of its own: "VMs" that are
# taps on a bridge. Two of them are looked at, vma and vmb. Four more send or receive the same
# frames in bursts of their own, few and many, which tells what a frame costs alone. The
# bursts take turns every few ms, so that whatever else changes on the machine changes for
# all. Writes a JSON object a round: the exact softirq times and what each policy would
# charge. Started by shared.sh.
# usage: shared_cases.sh BUILD SECONDS ROUNDS DIRECTION...
set -u
. "$(dirname "$0")/shared_lib.sh"
build=$1
seconds=$2
rounds=$3
shift 3
cases=$(mktemp)
trap 'rm -f "$cases" "$cases.commands"' EXIT
vms="vma vmb a_few b_few a_many b_many"
few=20 many=200

# The uplink stands for the physical NIC; the sender stays on CPU 0.
# shellcheck disable=SC2086
make_bridge uplink $vms

# flows DIRECTION NAME BYTES FRAMES
flows() {
	case $1 in
	receive) echo "uplink,$2,$3,$4" ;;
	transmit) echo "$2,uplink,$3,$4" ;;
	both) echo "uplink,$2,$3,$(($4 / 2)) $2,uplink,$3,$(($4 / 2))" ;;
	esac
}

for direction in "$@"; do
	for sizes in "60 60" "60 1514" "1514 1514" "60 9014"; do
		for ratio in "100 100" "20 200" "200 20"; do
			read -r size_a size_b <<<"$sizes"
			read -r frames_a frames_b <<<"$ratio"
			a=$(flows "$direction" vma "$size_a" "$frames_a")
			b=$(flows "$direction" vmb "$size_b" "$frames_b")
			# Who comes first in a burst pays for cold caches: in turn.
			turns="$(flows "$direction" a_few "$size_a" $few) / $a $b"
			turns="$turns / $(flows "$direction" b_few "$size_b" $few)"
			turns="$turns / $(flows "$direction" a_many "$size_a" $many) / $b $a"
			turns="$turns / $(flows "$direction" b_many "$size_b" $many)"
			write_case "$rounds" "$direction" "$sizes" "$ratio" "$few $many" \
				"$build/tap_traffic -k 3000 -c 0 $turns"
		done
	done
done 3>"$cases" >"$cases.commands"
# shellcheck disable=SC2086
"$build/softirq_time" -c -t "$seconds" $vms <"$cases.commands" | jq -c --slurpfile cases "$cases" -n \
	'[inputs] as $runs | range(0; $runs | length) | $cases[.] + {run: $runs[.]}'
