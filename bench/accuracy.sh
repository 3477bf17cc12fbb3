#!/bin/sh
# How true the guest's time is: kvmperf with and without its correction, exact mode,
# gtime, pidstat and perf kvm against kvmload's guest TSC, load by load; then whether
# 95 % intervals hold the truth, and what kvmperf costs.
# Usage: bench/accuracy.sh BUILD [--quick] [--only CASE[,CASE]...]
# Cases: those of `loads` below, coverage, agreement, event_cost, overhead, wakeups. WINDOW in the
# environment: seconds of a window of the loads (5). Runs on a KVM host and in
# the lab's box: lab/lab run -- bench/accuracy.sh build ...
. "$(dirname "$0")/lib.sh"
need perf pidstat
[ -x "$build/stolen_time" ] || {
	echo "$0: no $build/stolen_time (make tests)" >&2
	exit 2
}

windows=${quick:+3}
windows=${windows:-6}
window=${quick:+2} # seconds
window=${WINDOW:-${window:-5}}
calibrations=${quick:+3} # each with 20 windows of half a second
calibrations=${calibrations:-20}
frequency=250
gap_us=${GAP_US:-2} # what is no interrupt; longer where CPUs are emulated

# gtime PID: seconds that the kernel calls guest time (proc_pid_stat(5), field 43).
gtime() {
	sed 's/.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK)" '{printf "%.2f\n", $41 / hz}'
}

# said TOOL START END PID SECONDS: what a tool called the process's guest time.
said() {
	jq -cn --arg tool "$1" --argjson start "$2" --argjson until "$3" --argjson pid "$4" \
		--argjson guest "$5" '{$tool, $start, $until, $pid, $guest}'
}

# perf kvm's samples of the process in guest mode, as a part of all that it has. Its report
# has a row for each thread: all, host kernel and user, guest kernel and user, percent.
perf_share() {
	LC_ALL=C perf kvm --host --guest -i "$dir/perf.data" report --stdio \
		--showcpuutilization --sort pid 2>/dev/null | awk -v threads="$(ls "/proc/$1/task")" '
		BEGIN {split(threads, list); for (i in list) ours[list[i]]}
		/^#/ || NF < 6 {next}
		{split($6, name, ":")}
		name[1] in ours {all += $1; guest += $4 + $5}
		END {if (all) print guest / all}'
}

# own_cpu PID: CPU seconds of all its threads.
own_cpu() {
	cat "/proc/$1/task/"*/schedstat | awk '{sum += $1} END {printf "%.9f\n", sum / 1e9}'
}

# What pidstat calls the process's guest time, percent.
pidstat_guest() {
	awk '/%guest/ {for (i = 2; i <= NF; i++) if ($i == "%guest") column = i - 1}
		!/^#/ && NF > column && column {print $column; found = 1}
		END {exit !found}' "$dir/pidstat.$1"
}

# difference A B [FACTOR]: (A - B) x FACTOR
difference() {
	awk -v a="$1" -v b="$2" -v factor="${3:-1}" 'BEGIN {printf "%.9f\n", (a - b) * factor}'
}

# The peers over one window, all at once: none disturbs the next.
peers() {
	seconds=$((window * windows))
	pidstats=
	for pid in $(pgrep -P "$load"); do
		echo "$(wall) $(gtime "$pid") $(own_cpu "$pid")" >"$dir/before.$pid"
		LC_ALL=C pidstat -u -h -p "$pid" $seconds 1 >"$dir/pidstat.$pid" &
		pidstats="$pidstats $!"
	done
	perf kvm --host --guest record -q -B -N -a -F $frequency -e cpu-clock -o "$dir/perf.data" \
		sleep $seconds >/dev/null 2>&1
	for pid in $(pgrep -P "$load"); do
		echo "$(wall) $(gtime "$pid") $(own_cpu "$pid")" >"$dir/after.$pid"
	done
	for pidstat in $pidstats; do
		wait "$pidstat"
	done
	for pid in $(pgrep -P "$load"); do
		read -r start gtime cpu <"$dir/before.$pid"
		read -r end gtime_end cpu_end <"$dir/after.$pid"
		said gtime "$start" "$end" "$pid" "$(difference "$gtime_end" "$gtime")"
		share=$(perf_share "$pid")
		[ -z "$share" ] || said "perf kvm" "$start" "$end" "$pid" \
			"$(difference "$cpu_end" "$cpu" "$share")"
		guest=$(pidstat_guest "$pid") || die "pidstat said nothing of $pid"
		said pidstat "$start" "$(difference "$start" -$seconds)" "$pid" \
			"$(difference "$guest" 0 "$(awk -v s=$seconds 'BEGIN {print s / 100}')")"
	done
}

# watch FILE OPTIONS...: kvmperf's intervals into a file.
watch() {
	file=$1
	shift
	"$kvmperf" stat -f json -F $frequency --budget none "$@" >"$file" 2>"$dir/error" ||
		die "kvmperf: $(head -n 1 "$dir/error")"
}

# Is there exact mode here? Asked once, while guests run.
exact_mode() {
	[ -e "$dir/exact" ] || watch "$dir/exact" -i 1 -n 1 --exact
	jq -es 'all(.[]; .source.exact)' "$dir/exact" >/dev/null
}

# stolen: adds to $dir/stolen what a hypervisor below takes of a guest's time. Emulated CPUs
# stand still for long, which the guest's clock tells itself (kvmload's stalls).
stolen() {
	if [ -n "${GAP_US:-}" ]; then
		echo 0
	else
		"$build/stolen_time" 2 "$gap_us" || die "no figure of stolen time"
	fi >>"$dir/stolen"
}

# measure NAME VMS KVMLOAD-OPTIONS...: its row of the table goes to $dir/rows.
measure() {
	name=$1 vms=$2
	shift 2
	wanted "$name" || return 0
	[ -t 2 ] && echo "$name" >&2
	: >"$dir/stolen"
	stolen
	start_guests --name accuracy --vms "$vms" --truth-interval 0.1 \
		--gap-us "$gap_us" --truth-file "$dir/lines" "$@"
	sleep 0.5
	watch "$dir/sampled" -i $window -n "$windows"
	! exact_mode || watch "$dir/exact" -i $window -n "$windows" --exact
	peers "$vms" >"$dir/peers"
	sleep 0.5
	stop_guests
	stolen
	jq -L "$bench/../tests/live" -cn --slurpfile stolen "$dir/stolen" --arg case "$name" --slurpfile truth "$dir/lines" \
		--slurpfile sampled "$dir/sampled" --slurpfile exact "$dir/exact" \
		--slurpfile peers "$dir/peers" -f "$bench/accuracy.jq" >>"$dir/rows" ||
		die "$name: no truth to compare with"
}

# beside COMMAND...: with another load on each CPU.
beside() {
	for cpu in $(seq "$(nproc)"); do
		(while :; do :; done) &
		others="$others $!"
	done
	"$@"
	stop_others
}

# On PVM it exits only where the CPU lets cpuid fault in user mode.
cpuid_exits() {
	"$kvmload" --quiet --guest 1 --exit cpuid --duration 0.1 >/dev/null 2>&1
}

loads() {
	measure guest 1 --guest 10
	measure mix 1 --guest 30 --user 20 --kernel 10
	measure sleeper 1 --guest 2 --sleep 3 --exit kernel --exits-per-second 500
	measure step_1ms 1 --guest 0.4 --user 0.6
	measure step_4ms 1 --guest 1.6 --user 2.4
	measure user 1 --guest 2 --exit io --exits-per-second 10000
	measure user_fast 1 --guest 2 --exit io --exits-per-second 500000
	measure kernel 1 --guest 2 --exit kernel --exits-per-second 10000
	measure kernel_fast 1 --guest 2 --exit kernel --exits-per-second 500000
	! cpuid_exits || measure cpuid 1 --guest 2 --exit cpuid --exits-per-second 20000
	measure both 1 --guest 0.1 --exit kernel --exits-per-second 50000
	measure several 3 --guest 2 --exit kernel --exits-per-second 10000 --sleep 2
	! wanted busy_host || beside measure busy_host 1 --guest 2 --exit kernel --exits-per-second 10000
}

# cover NAME KVMLOAD-OPTIONS...: how many of many short windows hold the truth. The intervals
# tell of the calibration's error, too, so it is made anew again and again.
cover() {
	load_name=$1
	shift
	: >"$dir/stolen"
	stolen
	start_guests --name accuracy --truth-interval 0.05 --gap-us "$gap_us" --truth-file "$dir/lines" "$@"
	sleep 0.5
	: >"$dir/windows"
	for calibration in $(seq "$calibrations"); do
		"$kvmperf" calibrate >/dev/null || die "no calibration"
		watch "$dir/sampled" -i 0.5 -n 20
		jq -c --argjson n "$calibration" '.calibration = $n' "$dir/sampled" >>"$dir/windows"
	done
	sleep 0.5
	stop_guests
	stolen
	jq -L "$bench/../tests/live" -rn --slurpfile stolen "$dir/stolen" --arg load "$load_name" --slurpfile truth "$dir/lines" \
		--slurpfile sampled "$dir/windows" -f "$bench/accuracy_coverage.jq" || die "no truth to compare with"
}

# agree NAME KVMLOAD-OPTIONS...: exact mode and sampling at once, both corrected.
agree() {
	load_name=$1
	shift
	start_guests --name accuracy --truth-interval 0.1 --gap-us "$gap_us" \
		--truth-file "$dir/lines" "$@"
	sleep 0.5
	"$kvmperf" calibrate >/dev/null || die "no calibration"
	watch "$dir/calibrated" -i 1 -n 1 --exact
	start_tool "$kvmperf" stat -f json --exact -F $frequency --budget none -i $window \
		-n "$windows" -o "$dir/exact"
	"$kvmperf" stat -f json -F $frequency --budget none -i $window -n "$windows" \
		-o "$dir/sampled" || die "no samples"
	wait "$tool" || die "no exact times: $(head -n 1 "$dir/error")"
	tool=
	sleep 0.5
	stop_guests
	jq -L "$bench/../tests/live" -rn --arg load "$load_name" --slurpfile truth "$dir/lines" \
		--slurpfile exact "$dir/exact" --slurpfile sampled "$dir/sampled" \
		-f "$bench/accuracy_agreement.jq" || die "no truth to compare with"
}

agreement() {
	start_guests --name accuracy --guest 10
	sleep 0.5
	possible=yes
	exact_mode || possible=
	stop_guests
	[ -n "$possible" ] || {
		echo "exact mode is not available here"
		return 0
	}
	echo "| load | exits/s | true guest | exact ± | error | sampled ± | error | difference | agree |"
	echo "|---|---|---|---|---|---|---|---|---|"
	agree mix --guest 30 --user 20 --kernel 10
	agree kernel --guest 2 --exit kernel --exits-per-second 2000
	agree user --guest 2 --exit io --exits-per-second 2000
	agree sleeper --guest 10 --sleep 10 --exit kernel --exits-per-second 500
}

# The events of a host full of exits, within the default budget.
event_cost() {
	start_guests --name accuracy --vcpus "$(nproc)" --guest 2 --exit kernel \
		--exits-per-second 500000
	sleep 0.5
	"$kvmperf" stat -f json --exact -i 2 -n 5 >"$dir/exact" 2>"$dir/error" ||
		die "kvmperf: $(head -n 1 "$dir/error")"
	stop_guests
	jq -rs '.[-1] as $i | $i.source
		| if .exact | not then "exact mode is not available here" else
		  ($i.vms[0].exits / $i.duration_s / $i.cpus | round) as $rate
		  | "\($rate) exits/s a CPU: an event costs \(.exact_event_ns | round) ns; within " +
		    "\(.budget * 100) % of a CPU events are looked at for " +
		    "\(.exact_duty * 1000 | round / 10) % of the time and cost " +
		    "\(.exact_events * .exact_event_ns / 1e7 / $i.duration_s / $i.cpus
			* 100 | round / 100) %"
		  end' "$dir/exact"
}

# Interrupts of all CPUs so far.
interrupts() {
	awk '$1 == "intr" {print $2}' /proc/stat
}

# What kvmperf adds to the interrupts of a host on which nothing runs.
wakeups() {
	for _ in 1 2 3; do
		before=$(interrupts)
		sleep 3
		alone=$(($(interrupts) - before))
		start_tool "$kvmperf" stat -i 1 -o /dev/null -- sleep 6
		sleep 2
		before=$(interrupts)
		sleep 3
		echo "$alone $(($(interrupts) - before)) $(nproc)"
		stop_tool kvmperf
	done | awk '{alone += $1; with += $2; n += 3 * $3}
		END {printf "%.0f interrupts a second and CPU without kvmperf, %.0f with it\n",
			alone / n, with / n}'
}

: >"$dir/rows"
loads
[ ! -s "$dir/rows" ] || jq -rs -f "$bench/accuracy_tables.jq" "$dir/rows"
! wanted coverage || {
	cover "guest 3, user 2, kernel 1 ms" --guest 3 --user 2 --kernel 1
	cover "kernel exits" --guest 2 --exit kernel --exits-per-second 10000
	cover "user exits" --guest 2 --exit io --exits-per-second 10000
}
! wanted agreement || agreement
! wanted event_cost || event_cost
! wanted overhead || VARIANTS="alone bpf" "$bench/slowdown.sh" "$build" ${quick:+--quick} --only guest
! wanted wakeups || wakeups
