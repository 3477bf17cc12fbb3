#!/bin/sh
# How much a guest's own work slows down while a tool watches: kvmperf with either
# collector, perf record and pidstat, each against no tool in the same round.
# Usage: bench/slowdown.sh BUILD [--quick] [--only guest,mix,all]; VARIANTS: of the tools
. "$(dirname "$0")/lib.sh"
need perf pidstat

variants=${VARIANTS:-alone bpf perf record pidstat}
window=3 # seconds
settle=1 # seconds, for the tool to start
disturbance=10 # points of one CPU that others may use in a window
repeated=0
rounds=${quick:+5}
rounds=${rounds:-10} # of 10 each variant has each place twice

start_variant() {
	case $1 in
	alone) ;;
	bpf | perf) start_tool "$kvmperf" stat -i 1 --collector "$1" -o /dev/null ;;
	record) start_tool perf record -q -a -F 250 -e cpu-clock -o "$dir/perf.data" ;;
	pidstat) start_tool pidstat -t 1 >/dev/null ;;
	esac
}

# watch ROUND VARIANT: one window; prints its begin and end: time, CPU seconds that
# all CPUs were busy, and those of guests and tool.
watch() {
	start_variant "$2"
	sleep $settle
	begin="$(wall) $(busy) $(own)"
	sleep $window
	echo "window $1 $2 $begin $(wall) $(busy) $(own)"
	[ -z "$tool" ] || stop_tool "$2"
	rm -f "$dir/perf.data"
}

# order ROUND: the variants, rotated by the round, every other round backwards.
order() {
	echo "$variants" | awk -v round="$1" '{
		for (i = 0; i < NF; i++)
			print $((round + (round % 2 ? NF - i : i)) % NF + 1)
	}'
}

# quiet_round FILE: did others leave all its windows alone?
quiet_round() {
	awk -v limit=$disturbance '($8 - $5 - $9 + $6) * 100 > limit * ($7 - $4) {exit 1}' "$1"
}

# take_round ROUND: its windows go to $dir/windows. A disturbed round is taken again
# while there is patience.
take_round() {
	while :; do
		wait_quiet
		for variant in $(order "$1"); do
			watch "$1" "$variant"
		done >"$dir/round"
		if quiet_round "$dir/round" || [ "$patience" -le 0 ]; then
			break
		fi
		repeated=$((repeated + 1))
		patience=$((patience - 5 * (window + settle)))
	done
	cat "$dir/round" >>"$dir/windows"
}

# measure NAME KVMLOAD-OPTIONS...: one workload's rows of the table.
measure() {
	workload=$1
	shift
	start_guests --name bench --truth-interval 0.1 --truth-file "$dir/lines" "$@"
	sleep 1
	: >"$dir/windows"
	for round in $(seq "$rounds"); do
		take_round "$round"
	done
	sleep 0.3
	stop_guests
	jq -r '.vms[] | ["reading", .pid, .end, .progress, .guest_s, .cpu_s] | @tsv' \
		"$dir/lines" >"$dir/readings"
	awk -v workload="$workload" -v variants="$variants" -f "$bench/statistics.awk" \
		-f "$bench/slowdown.awk" "$dir/readings" "$dir/windows"
}

cpus=$(nproc)
last=$((cpus - 1))
cat <<END
| workload | tool | progress, M steps/s | slowdown, % (95 %) | by the guest's clock, % (95 %) | tool's CPU time, points | others', points |
|---|---|---|---|---|---|---|
END
! wanted guest || measure "guest" --guest 10 --pin $last
! wanted mix || measure "mix" --guest 30 --user 20 --kernel 10 --pin $last
! wanted all || measure "all CPUs" --guest 10 --vcpus "$cpus" --pin 0-$last
echo
echo "$rounds rounds of windows of $window s; $repeated disturbed rounds were taken again."
