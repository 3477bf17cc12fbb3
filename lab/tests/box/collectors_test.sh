#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The BPF and the perf collector, side by side, agree on what a VM does.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

lab/guest/start --first 2 --load syscall || fail "web2 did not start"
# Each calibrates for itself, on emulated CPUs whose speed varies: what samples say is compared.
for collector in bpf perf; do
	"$kvmperf" stat --budget none --correction none --collector $collector -f json -i 8 -n 1 -o "$dir/$collector" &
done
wait
for collector in bpf perf; do
	balanced "$dir/$collector"
	holds "$dir/$collector" ".[0].source.collector == \"$collector\"" "not by $collector"
done
shares='.vms[] | select(.name == "web2") | [.guest_s, .guest_user_s, .guest_kernel_s, .hypervisor_s]
	| map(. / $t)'
# Parts of what the VM ran: the two don't begin and end together, as slow as their starts are
# here, and what it ran in their intervals differs.
bpf=$(jq -c "(.vms[] | select(.name == \"web2\").total_s) as \$t | $shares" "$dir/bpf")
perf=$(jq -c "(.vms[] | select(.name == \"web2\").total_s) as \$t | $shares" "$dir/perf")
# Within 10 points.
jq -en --argjson bpf "${bpf:-null}" --argjson perf "${perf:-null}" \
	'[$bpf, $perf] | transpose | map(.[0] - .[1] | fabs) | length == 4 and max < 0.1' >/dev/null ||
	fail "guest, guest user, guest kernel, hypervisor: bpf $bpf, perf $perf"
lab/guest/stop 2
finish
