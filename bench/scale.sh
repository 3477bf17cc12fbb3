#!/bin/sh
# What kvmperf itself needs with 1 to 1000 VMs, and what pidstat needs for the same
# threads: CPU time per interval of 1 s, memory, time to the first figure.
# Usage: bench/scale.sh BUILD [--quick]
. "$(dirname "$0")/lib.sh"
need pidstat

sizes=${quick:+1 10 100}
sizes=${sizes:-1 10 100 1000}
intervals=${quick:+3}
intervals=${intervals:-10}
starts=5

# A process's CPU seconds so far: by the scheduler's clock, and as user and system time.
clocks() {
	cat "/proc/$1/task/"*/schedstat | awk '{sum += $1} END {printf "%.9f ", sum / 1e9}'
	awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); printf "%.2f\n", ($12 + $13) / hz}' \
		"/proc/$1/stat"
}

# over_intervals FILE: what the tool needs in $intervals s goes to the file: CPU seconds
# per second, MB. To be called in mid-interval, where nothing is due: a second then
# holds the end of one interval.
over_intervals() {
	before="$(wall) $(clocks "$tool")"
	sleep "$intervals"
	echo "$before $(wall) $(clocks "$tool")" |
		awk '{print ($5 - $2) / ($4 - $1), ($6 - $3) / ($4 - $1)}' >"$1"
	awk '/^VmHWM/ {print $2 / 1024}' "/proc/$tool/status" >>"$1"
}

# first_figure COLLECTOR: ms from the start of the program to the end of its first
# line, less the interval.
first_figure() {
	from=$(wall)
	"$kvmperf" stat -f json -i 0.2 -n 1 --collector "$1" >"$dir/pipe" 2>"$dir/error" &
	head -n 1 "$dir/pipe" >"$dir/first"
	to=$(wall)
	wait $! || die "kvmperf: $(head -n 1 "$dir/error")"
	jq --argjson from "$from" --argjson to "$to" '($to - $from - .duration_s) * 1e3' \
		"$dir/first" || die "no first figure"
}

# measure_kvmperf COLLECTOR: a row of the table.
measure_kvmperf() {
	mkfifo "$dir/pipe"
	for _ in $(seq "$starts"); do
		first_figure "$1"
	done >"$dir/starts"
	rm "$dir/pipe"
	start_tool "$kvmperf" stat -f json -i 1 --collector "$1" -o "$dir/intervals"
	until [ -s "$dir/intervals" ]; do
		kill -0 "$tool" 2>/dev/null || die "kvmperf has ended: $(head -n 1 "$dir/error")"
		sleep 0.02
	done
	sleep 0.5
	over_intervals "$dir/needs"
	stop_tool "kvmperf"
	# The first interval has the start in it, the last one is cut short.
	jq -r --argjson n "$intervals" --argjson vms "$vms" -n '
		[inputs] | .[1:$n + 1]
		| if any(.[]; .vms | length < $vms) then error("VMs are missing") else . end
		| (map(.self_s) | add) / (map(.duration_s) | add), (map(.self_s) | max),
		  (map(.source.lost) | add)' \
		"$dir/intervals" >>"$dir/needs" || die "no figures of $vms VMs"
	rm "$dir/intervals"
	awk -v vms="$vms" -v collector="$1" -f "$bench/statistics.awk" -f "$bench/scale.awk" \
		"$dir/starts" "$dir/needs"
}

# measure_silent NAME COMMAND...: a row for what doesn't tell its own CPU time.
measure_silent() {
	name=$1
	shift
	start_tool "$@" >/dev/null
	sleep 2.6
	over_intervals "$dir/needs"
	stop_tool "$name"
	awk -v vms="$vms" -v name="$name" 'NR == 1 {schedstat = $1 * 1e3; ticks = $2 * 1e3} END {
		printf "| %d | %s | | | %.2f | %.1f | %.1f | |\n",
		       vms, name, schedstat, ticks, $1
	}' "$dir/needs"
}

cat <<END
| VMs | tool | self_s, ms/s | longest, ms | schedstat, ms/s | utime + stime, ms/s | VmHWM, MB | to first figure, ms (longest) |
|---|---|---|---|---|---|---|---|
END
for vms in $sizes; do
	wait_quiet
	start_guests --name bench --vms "$vms" --guest 0.2 --sleep 1000
	sleep 2
	measure_kvmperf bpf
	measure_kvmperf perf
	measure_silent "kvmperf stat (table)" "$kvmperf" stat -i 1
	measure_silent "pidstat -t" pidstat -t -p "$(pgrep -d , -P "$load")" 1
	stop_guests
done
echo
echo "Over $intervals intervals of 1 s; longest: of one interval. First figure: median of $starts starts."
