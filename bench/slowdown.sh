#!/bin/sh
# How much a guest's own work slows down while a tool watches: kvmperf with either
# collector, perf record and pidstat, each against no tool in the same round.
# Usage: bench/slowdown.sh BUILD [--quick]
. "$(dirname "$0")/lib.sh"
need perf pidstat

variants="alone bpf perf record pidstat"
window=3 # seconds
settle=1 # seconds, for the tool to start
rounds=${quick:+5}
rounds=${rounds:-20} # of 10 rounds each variant has each place twice

start_variant() {
	case $1 in
	alone) ;;
	bpf | perf) start_tool "$kvmperf" stat -i 1 --collector "$1" -o /dev/null ;;
	record) start_tool perf record -q -a -F 250 -e cpu-clock -o "$dir/perf.data" ;;
	pidstat) start_tool pidstat -t 1 >/dev/null ;;
	esac
}

# watch ROUND VARIANT: one window; prints its begin and end with the CPU time used.
watch() {
	start_variant "$2"
	sleep $settle
	begin="$(wall) $(busy)"
	sleep $window
	echo "window $1 $2 $begin $(wall) $(busy)"
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

# measure NAME KVMLOAD-OPTIONS...: one workload's rows of the table.
measure() {
	workload=$1
	shift
	start_guests --name bench --truth-interval 0.1 --truth-file "$dir/lines" "$@"
	sleep 1
	for round in $(seq "$rounds"); do
		for variant in $(order "$round"); do
			watch "$round" "$variant" || exit 1
		done
	done >"$dir/windows"
	sleep 0.3
	stop_guests
	jq -r '.vms[] | ["reading", .pid, .end, .progress,
		(.threads | map(select(.role == "vcpu").cpu_s) | add)] | @tsv' \
		"$dir/lines" >"$dir/readings"
	awk -v workload="$workload" -v variants="$variants" -f "$bench/statistics.awk" \
		-f "$bench/slowdown.awk" "$dir/readings" "$dir/windows"
	if [ -n "${KEEP:-}" ]; then
		cp "$dir/windows" "$KEEP/$workload.windows"
		cp "$dir/readings" "$KEEP/$workload.readings"
	fi
}

cpus=$(nproc)
last=$((cpus - 1))
cat <<END
| workload | tool | progress, M steps/s | slowdown, % (95 %) | per vCPU second, % (95 %) | other CPU time, points |
|---|---|---|---|---|---|
END
measure "guest" --guest 10 --pin $last
measure "mix" --guest 30 --user 20 --kernel 10 --pin $last
measure "all CPUs" --guest 10 --vcpus "$cpus" --pin 0-$last
echo
echo "$rounds rounds of windows of $window s."
