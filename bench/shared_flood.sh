#!/bin/bash
# Part B of the benchmark of shared work, on a KVM host: a guest that only computes, on the
# CPU on which its neighbour's packets are received. The truth is the guest's own progress
# count against the same guest's without a flood. Writes a JSON object a level of flood.
# Started by shared.sh.
# usage: shared_flood.sh BUILD SECONDS
set -u
build=$1
seconds=$2
dir=$(mktemp -d)
pids=()

cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null
	done
	wait
	ip link del kpflood 2>/dev/null
	ip link del kpvm 2>/dev/null
	ip link del kpbr0 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ip link add kpbr0 type bridge || exit 1
ip link set kpbr0 up
for tap in kpflood kpvm; do
	ip tuntap add "$tap" mode tap || exit 1
	ip link set "$tap" master kpbr0 up
done
# As a NIC's interrupt would: CPU 1 receives what comes in.
echo 2 >/sys/class/net/kpflood/queues/rx-0/rps_cpus

"$build/kvmload" --quiet --duration 7200 --name neighbour --guest 0.1 --sleep 1 --pin 0 \
	--tap kpvm >/dev/null 2>"$dir/error" &
pids+=($!)
mkfifo "$dir/ready"
"$build/kvmload" --quiet --duration 7200 --name compute --guest 10 --pin 1 --ready-fd 9 \
	--truth-interval 0.25 --truth-file "$dir/truth" >/dev/null 2>>"$dir/error" 9>"$dir/ready" &
pids+=($!)
compute=$!
head -c 1 "$dir/ready" >/dev/null
vm=$(pgrep -P "$compute" | head -n 1)
[ -n "$vm" ] || {
	cat "$dir/error" >&2
	exit 1
}

# progress TIME: the guest's count at that time, between two readings
progress() {
	jq -s --argjson time "$1" '[.[] | (.vms // [.])[] | {time: .end, progress}] as $r
		| ($r | map(select(.time <= $time)) | last) as $a
		| ($r | map(select(.time > $time)) | first) as $b
		| if $a and $b then $a.progress + ($b.progress - $a.progress)
			* ($time - $a.time) / ($b.time - $a.time) else null end' "$dir/truth"
}

# schedstat: the CPU time of all threads of the VM, s
schedstat() {
	cat /proc/"$vm"/task/*/schedstat | awk '{ s += $1 } END { printf "%.9f", s / 1e9 }'
}

# What this machine can forward: frames a second, the sender and the receiving CPU both busy.
# They are few on emulated CPUs, and what can't be received in time must not pile up.
"$build/tap_traffic" -c 0 -k 1000 -t 2 "kpflood,02:6b:76:6d:00:77,60,50" >"$dir/most" || exit 1
most=$(jq '.flows[0].sent / 2 | floor' "$dir/most")

# per_tick PART: frames in 5 ms that make up this part of the most
per_tick() {
	awk -v most="$most" -v part="$1" 'BEGIN { n = most * part / 200; print n < 1 ? 1 : int(n) }'
}

# level NAME FRAMES-PER-TICK TICK-US
level() {
	flood=
	if [ "$2" -gt 0 ]; then
		"$build/tap_traffic" -c 0 -k "$3" "kpflood,02:6b:76:6d:00:77,60,$2" >"$dir/flood" &
		flood=$!
		pids+=($flood)
		sleep 1
	fi
	before=$(schedstat)
	pidstat -p "$vm" "$seconds" 1 >"$dir/pidstat" 2>/dev/null &
	"$build/kvmperf" stat -F 250 -i "$seconds" -n 1 -f json -o "$dir/stat"
	after=$(schedstat)
	wait $!
	perf record -q -a -e cpu-clock -F 250 -o "$dir/perf.data" sleep "$seconds" 2>/dev/null
	perf report -q -i "$dir/perf.data" --sort pid -g none 2>/dev/null >"$dir/report"
	sleep 0.6
	start=$(jq '.start' "$dir/stat")
	end=$(jq '.start + .duration_s' "$dir/stat")
	[ -z "$flood" ] || {
		kill "$flood"
		wait "$flood"
	}
	jq -c --arg level "$1" --argjson start "$(progress "$start")" --argjson until "$(progress "$end")" \
		--argjson schedstat "$(echo "$after - $before" | bc)" \
		--arg pidstat "$(awk '/Average/ && $8 ~ /[0-9]/ { print $8 }' "$dir/pidstat" | tail -n 1)" \
		--arg perf "$(awk -v pid="$vm" '$2 == pid || $2 ~ "^" pid ":" { sub(/%/, "", $1); print $1 }' "$dir/report" | head -n 1)" \
		--arg flood "$(jq -c '.flows[0].sent' "$dir/flood" 2>/dev/null)" '
		{level: $level, duration_s, cpus, progress_per_s: (($until - $start) / .duration_s),
		 schedstat: ($schedstat / .duration_s), pidstat: ($pidstat | tonumber? // null),
		 perf: (($perf | tonumber? // null) as $p | if $p then $p / 100 * .cpus else null end),
		 flood: ($flood | tonumber? // 0), source,
		 compute: (.vms[] | select(.name | startswith("compute")) | {guest_s, kernel_s, vmm_s, shared_s, total_s, net}),
		 neighbour: (.vms[] | select(.name | startswith("neighbour")) | {guest_s, kernel_s, vmm_s, shared_s, shared_modules, total_s, net}),
		 host, sum_s: (([.vms[].total_s] | add) + .host.processes_s + .host.kernel_s
			+ .host.shared_unattributed_s + .self_s + .idle_s), capacity_s}' "$dir/stat"
}

level none 0 1000
level light "$(per_tick 0.01)" 5000
level medium "$(per_tick 0.3)" 5000
level full "$(per_tick 2)" 5000
