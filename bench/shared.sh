#!/bin/bash
# The benchmark of shared work: prints its tables in Markdown, about 25 minutes on a quiet
# machine. Part A: the error of each policy, on taps in a namespace of its own (needs no
# KVM). And the cost of causal tagging. Part B: a guest that only computes beside a flooded
# neighbour, where /dev/kvm is. Part C: the error of each policy behind the lab's e1000,
# bridge and vhost (not from within the lab's box).
# usage: shared.sh BUILD [--quick]; KEEP=FILE in the environment: the runs, as JSON
set -u
bench=$(dirname "$0")
build=${1:-}
seconds=0.5 rounds=8 pairs=1000 flood_seconds=3 flood_rounds=6 lab_rounds=10
case ${2:-} in
'') ;;
--quick) seconds=0.2 rounds=4 pairs=200 flood_seconds=3 flood_rounds=1 lab_rounds=2 ;;
*)
	echo "usage: $0 BUILD [--quick]" >&2
	exit 2
	;;
esac
[ -x "$build/softirq_time" ] && [ -x "$build/tap_traffic" ] && [ -x "$build/tagging_cost" ] || {
	echo "$0: build first: make tests" >&2
	exit 2
}
[ "$(id -u)" -eq 0 ] || {
	echo "$0: run as root" >&2
	exit 3
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"; sysctl -q -w kernel.bpf_stats_enabled="$statistics"' EXIT
trap 'exit 130' INT TERM
statistics=$(sysctl -n kernel.bpf_stats_enabled)

printf '### Part A: error of each policy in points\n\nLoad average before it: %s.\n\n' "$(cut -d ' ' -f 1 /proc/loadavg)"
for direction in receive transmit both; do
	unshare -n -m "$bench/shared_cases.sh" "$build" "$seconds" "$rounds" $direction || exit 1
done >"$dir/cases"
[ -z "${KEEP-}" ] || cp "$dir/cases" "$KEEP"
jq -s -r -f "$bench/shared_cases.jq" "$dir/cases"

printf '\n### Cost of causal tagging\n\nWhat it takes from a thread on the CPU that forwards:\n\n'
unshare -n -m "$bench/shared_cost.sh" "$build" "$pairs" || exit 1
# The kernel's own statistics of the programs' run time, while the densest case runs.
printf '\nBy the run-time statistics of BPF, which are a part of what they measure:\n\n'
sysctl -q -w kernel.bpf_stats_enabled=1
unshare -n -m "$bench/shared_cases.sh" "$build" "$seconds" 2 receive >"$dir/cost" &
while kill -0 $! 2>/dev/null; do
	bpftool -j prog show 2>/dev/null | jq -c '[.[] | select(.name | test("^(softirq_(entered|left)|packet_(received|queued))$"))
		| {name, run_time_ns: (.run_time_ns // 0), run_cnt: (.run_cnt // 0)}]' >"$dir/programs.new"
	[ "$(jq 'length' "$dir/programs.new" 2>/dev/null || echo 0)" -lt 4 ] || mv "$dir/programs.new" "$dir/programs"
	sleep 0.5
done
jq -r 'map({(.name): .}) | add
	| "received \(.packet_received.run_time_ns / .packet_received.run_cnt | round) ns, "
	+ "queued \(.packet_queued.run_time_ns / .packet_queued.run_cnt | round) ns, "
	+ "a packet with its part of the batch \(([.[] | .run_time_ns] | add) / .packet_received.run_cnt | round) ns, "
	+ "\((.packet_received.run_cnt / .softirq_left.run_cnt * 10 | round) / 10) packets a batch."' "$dir/programs"

printf '\n### Part B: a guest that computes beside a flooded neighbour\n\n'
if [ -w /dev/kvm ]; then
	"$bench/shared_flood.sh" "$build" "$flood_seconds" "$flood_rounds" >"$dir/flood" || exit 1
	[ -z "${KEEP-}" ] || cp "$dir/flood" "$KEEP.flood"
	jq -s -r -f "$bench/shared_flood.jq" "$dir/flood"
else
	echo "Not run: there is no /dev/kvm here."
fi

! grep -q ' lab.repo=' /proc/cmdline || exit 0
printf "\n### Part C: the lab's e1000, bridge and vhost\n\n"
"$bench/shared_lab.sh" "$build" 3 "$lab_rounds" >"$dir/lab" || exit 1
[ -z "${KEEP-}" ] || cp "$dir/lab" "$KEEP.lab"
jq -s -r -f "$bench/shared_cases.jq" "$dir/lab"
