#!/bin/sh
# The accounts of guests whose composition is known, from both collectors: guest,
# VMM and kernel shares, ready time, balance. One short run each with a wide limit;
# bench/accuracy.sh has the figures.
set -u
. tests/live/lib.sh
need_root_and_kvm

bursts="--guest 30 --user 20 --kernel 10"
ready_limit='0.03 * .ready_truth_s + 0.05'
numbers="1 2 4"
if emulated; then
	# What interrupts a burst there takes longer than the burst: no known shares.
	echo "INFO emulated CPUs: shares are not compared with the truth"
	bursts="--guest 300 --user 200 --kernel 100 --gap-us 20000"
	ready_limit='0.1 * .ready_truth_s + 0.2'
	numbers="1 2"
fi

# compare NAME: errors in points of a CPU, and ready time against the truth's. A
# window of 5 s has an error of about 1 point (two sigma); 4 is far outside.
compare() {
	jq -c -n --slurpfile truth "$dir/lines" --slurpfile stat "$dir/stat" \
		-f "$here/truth.jq" >"$dir/errors" 2>"$dir/jq.err" ||
		fail "$1: $(head -n 1 "$dir/jq.err")"
	[ -s "$dir/errors" ] || fail "$1: no VM to compare"
	while read -r line; do
		emulated || echo "$line" | jq -e '[.guest, .vmm, .kernel | fabs] | max < 4' >/dev/null ||
			fail "$1: $line"
		echo "$line" | jq -e "((.ready_s - .ready_truth_s) | fabs) < $ready_limit" >/dev/null ||
			fail "$1: ready time: $line"
	done <"$dir/errors"
}

for collector in bpf perf; do
	for vms in $numbers; do
		# shellcheck disable=SC2086
		start_guests --vms "$vms" --name truth $bursts --duration 300 --truth-interval 0.1 --truth-file "$dir/lines"
		sleep 0.3
		status 0 "$kvmperf" stat -f json -i 5 -n 1 --budget none --collector $collector -o "$dir/stat"
		sleep 0.3
		stop_guests
		balanced "$dir/stat"
		compare "$collector, $vms VMs"
		holds "$dir/stat" "all(.[]; .source.collector == \"$collector\")" "collector"
		holds "$dir/stat" "all(.[]; [.vms[] | select(.name | startswith(\"truth\"))] | length == $vms)" "$collector: not $vms VMs"
		holds "$dir/stat" 'all(.[].vms[] | select(.name | startswith("truth"));
			.guest_user_s > 0 and .guest_kernel_s == 0)' \
			"$collector: guests in user mode alone"
		holds "$dir/stat" 'all(.[].vms[] | select(.name | startswith("truth"));
			.vmm_dsos.kvmload > 0.8 * .vmm_s)' "$collector: VMM's own code"
	done
done
finish
