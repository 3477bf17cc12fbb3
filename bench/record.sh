#!/bin/sh
# What kvmperf record itself needs, and perf record -a at the same frequency, while all
# CPUs are busy: CPU time per second once they run, samples and bytes. Needs no guests.
# Usage: bench/record.sh BUILD [--quick]
# shellcheck disable=SC2034 # for lib.sh
without_guests=yes
. "$(dirname "$0")/lib.sh"
need perf

rounds=${quick:+3}
rounds=${rounds:-7}
rates=${quick:+1000}
rates=${rates:-250 1000 4000}
seconds=10 # perf writes some seconds' samples at once

# A process's CPU seconds so far, by the scheduler's clock.
used() {
	cat "/proc/$1/task/"*/schedstat | awk '{sum += $1} END {printf "%.9f\n", sum / 1e9}'
}

# measure NAME COMMAND...: a row for record.awk; the command writes $dir/out.data until it
# is told to end.
measure() {
	name=$1
	shift
	rm -f "$dir"/out.data*
	start_tool "$@"
	sleep 2
	from="$(wall) $(used "$tool")"
	sleep "$seconds"
	to="$(wall) $(used "$tool")"
	kill -0 "$tool" 2>/dev/null || die "$name has ended: $(head -n 1 "$dir/error")"
	kill "$tool"
	wait "$tool"
	tool=
	size=$(stat -c %s "$dir/out.data")
	samples=$(perf script -F time -i "$dir/out.data" 2>/dev/null | wc -l)
	echo "$rate $name $from $to $size $samples" |
		awk '{print $1, $2, ($6 - $4) / ($5 - $3) * 1e3, $7, $8}' >>"$dir/rows"
}

measure_kvmperf() {
	measure kvmperf "$kvmperf" record -F "$rate" $callchains -o "$dir/out.data" -- sleep 3600
}

measure_perf() {
	measure perf perf record -q -a -e cpu-clock -F "$rate" $callchains -o "$dir/out.data" -- \
		sleep 3600
}

# All CPUs work in user mode, so that every timer fires.
for _ in $(seq "$(nproc)"); do
	sh -c 'while :; do :; done' &
	burners="${burners:-} $!"
done
trap 'kill $burners 2>/dev/null; cleanup' EXIT

cat <<END
| what | Hz | kvmperf, ms/s (95 %) | perf, ms/s (95 %) | kvmperf / perf | samples, kvmperf / perf | bytes a sample, kvmperf | perf |
|---|---|---|---|---|---|---|---|
END
for callchains in "" -g; do
	for rate in $rates; do
		: >"$dir/rows"
		for round in $(seq "$rounds"); do
			if [ $((round % 2)) -eq 0 ]; then
				measure_kvmperf
				measure_perf
			else
				measure_perf
				measure_kvmperf
			fi
		done
		awk -v what="${callchains:-plain}" -f "$bench/statistics.awk" -f "$bench/record.awk" \
			"$dir/rows"
	done
done
echo
echo "CPU time of the tool alone, over $seconds s from 2 s after its start; $rounds rounds."
