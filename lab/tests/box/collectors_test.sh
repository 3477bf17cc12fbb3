#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The BPF and the perf collector, side by side, agree on what a VM does.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

lab/guest/start --first 2 --load syscall || fail "web2 did not start"
# Each calibrates for itself, on emulated CPUs whose speed varies: what samples say is compared.
for collector in bpf perf; do
	"$kvmperf" stat --budget none --correction none --collector $collector -f json -i 1 -n 14 -o "$dir/$collector" &
done
wait
for collector in bpf perf; do
	balanced "$dir/$collector"
	holds "$dir/$collector" "all(.[]; .source.collector == \"$collector\")" "not by $collector"
done
# Parts of what the VM ran while both looked: they don't begin together, as slow as their starts
# are here, and the guest's user part varies from second to second (0.03 to 0.4 of it).
both=$(jq -cn --slurpfile bpf "$dir/bpf" --slurpfile perf "$dir/perf" '
	([$bpf[0].start, $perf[0].start] | max) as $from
	| ([$bpf[-1], $perf[-1] | .start + .duration_s] | min) as $until
	| [$bpf, $perf] | map(map(select((.start + .duration_s / 2) as $middle
		| $middle > $from and $middle < $until) | .vms[] | select(.name == "web2")
		| [.guest_s, .guest_user_s, .guest_kernel_s, .hypervisor_s, .total_s])
	| transpose | map(add) | . as $sums | map(. / $sums[-1]))')
# Within 10 points.
jq -en --argjson both "${both:-null}" \
	'$both | transpose | map(.[0] - .[1] | fabs) | length == 5 and max < 0.1' >/dev/null ||
	fail "guest, guest user, guest kernel, hypervisor, of all: bpf and perf $both"
echo "INFO guest, guest user, guest kernel, hypervisor, of all: bpf and perf $both"
lab/guest/stop 2
finish
