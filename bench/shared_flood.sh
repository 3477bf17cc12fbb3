#!/bin/bash
# Part B of the benchmark of shared work, on a KVM host: a guest that only computes, on the
# CPU on which its neighbour's packets are received. The truth is the time that the guest ran by
# its own clock, against the same guest's without a flood, right before and after; its progress
# count beside it says the same where the CPU's speed does not change. Writes a JSON object
# a window; the levels of flood follow each other in every round, a window without one between
# them. Started by shared.sh.
# usage: shared_flood.sh BUILD SECONDS ROUNDS
set -u
build=$1
seconds=$2
rounds=$3
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

# between START END: by how much the guest's progress and its own time (by its clock, without
# the gaps in which it did not run) rose, read off between two readings
between() {
	jq -s -c --argjson start "$1" --argjson until "$2" '[.[] | (.vms // [.])[]] as $r
		| def at($time): ($r | map(select(.end <= $time)) | last) as $a
			| ($r | map(select(.end > $time)) | first) as $b
			| if $a and $b then (($time - $a.end) / ($b.end - $a.end)) as $part
				| [$a, $b | [.progress, .guest_s]] | transpose | map(.[0] + (.[1] - .[0]) * $part)
			  else error("no reading of the guest at \($time)") end;
		[at($start), at($until)] | transpose | map(.[1] - .[0]) | {progress: .[0], guest_s: .[1]}' "$dir/truth"
}

# schedstat: the time, and the CPU time of all threads of the VM, s
schedstat() {
	echo "$(date +%s.%N) $(cat /proc/"$vm"/task/*/schedstat | awk '{ s += $1 } END { printf "%.9f", s / 1e9 }')"
}

# perf_share: the VM's part of all samples of perf, which are of all CPUs
perf_share() {
	LC_ALL=C perf script -i "$dir/perf.data" -F pid 2>/dev/null |
		awk -v pid="$vm" '$1 == pid { n++ } END { if (NR) print n / NR }'
}

# What this machine can forward: frames a second, the sender and the receiving CPU both busy.
# They are few on emulated CPUs, and what can't be received in time must not pile up.
"$build/tap_traffic" -c 0 -k 1000 -t 2 "kpflood,02:6b:76:6d:00:77,60,50" >"$dir/most" || exit 1
most=$(jq '.flows[0].sent / 2 | floor' "$dir/most")

# per_tick PART: frames in 5 ms that make up this part of the most
per_tick() {
	awk -v most="$most" -v part="$1" 'BEGIN { n = most * part / 200; print n < 1 ? 1 : int(n) }'
}

# level NAME FRAMES-PER-TICK: a window for kvmperf and one for its peers. The sender is there
# without a flood too: it never sleeps, and may share the core of the guest's CPU.
level() {
	"$build/tap_traffic" -c 0 -k 5000 "kpflood,02:6b:76:6d:00:77,60,$2" >"$dir/flood" &
	flood=$!
	pids+=("$flood")
	sleep 0.5
	"$build/kvmperf" stat -F 250 -i "$seconds" -n 1 -f json -o "$dir/stat" 2>"$dir/error" || {
		cat "$dir/error" >&2
		exit 1
	}
	LC_ALL=C pidstat -p "$vm" "$seconds" 1 >"$dir/pidstat" 2>/dev/null &
	pidstat=$!
	before=$(schedstat)
	perf record -q -a -e cpu-clock -F 250 -o "$dir/perf.data" sleep "$seconds" 2>/dev/null
	after=$(schedstat)
	wait "$pidstat"
	kill "$flood"
	wait "$flood"
	start=$(jq '.start' "$dir/stat")
	end=$(jq '.start + .duration_s' "$dir/stat")
	jq -c --arg level "$1" --argjson guest "$(between "$start" "$end")" \
		--argjson schedstat "$(echo "$before $after" | awk '{ printf "%.6f", ($4 - $2) / ($3 - $1) }')" \
		--arg pidstat "$(awk '/Average/ && $8 ~ /[0-9]/ { print $8 }' "$dir/pidstat" | tail -n 1)" \
		--arg perf "$(perf_share)" \
		--arg flood "$(jq -c '(.flows[0].sent + .flows[0].refused) / .duration_s' "$dir/flood" 2>/dev/null)" '
		{level: $level, duration_s, cpus, progress_per_s: ($guest.progress / .duration_s), ran: ($guest.guest_s / .duration_s),
		 $schedstat, pidstat: ($pidstat | tonumber? // null),
		 perf: (($perf | tonumber? // null) as $p | if $p then $p * .cpus else null end),
		 frames_per_s: ($flood | tonumber? // 0), source,
		 compute: (.vms[] | select(.name | startswith("compute")) | {guest_s, kernel_s, vmm_s, shared_s, total_s, net}),
		 neighbour: (.vms[] | select(.name | startswith("neighbour")) | {guest_s, kernel_s, vmm_s, shared_s, shared_modules, total_s, net}),
		 host, sum_s: (([.vms[].total_s] | add) + .host.processes_s + .host.kernel_s
			+ .host.shared_unattributed_s + .self_s + .idle_s), capacity_s}' "$dir/stat"
}

level none 0
for round in $(seq "$rounds"); do
	for flood in light:0.01 medium:0.3 full:2; do
		level "${flood%:*}" "$(per_tick "${flood#*:}")"
		level none 0
	done
done
