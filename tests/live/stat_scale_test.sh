#!/bin/sh
# 100 VMs (20 where the CPUs are emulated): all are accounted for, in less than 20 MB,
# by both collectors.
set -u
. tests/live/lib.sh
need_root_and_kvm

vms=100 sleep=200
if emulated; then
	vms=20 sleep=1000
fi
start_guests --vms $vms --name many --guest 1 --user 0.5 --kernel 0.5 --sleep $sleep --duration 600
ran='def ran: .vms[] | select(.name | startswith("many")) |
	select([.threads[] | .guest_s + .vmm_s + .kernel_s + .interrupts_s] | add > 0); '
for collector in bpf perf; do
	"$kvmperf" stat -f json -i $((sleep / 200)) --collector $collector -o "$dir/stat" 2>"$dir/err" &
	measure=$!
	sleep $((sleep / 40)).6
	peak=$(awk '/VmHWM/ {print $2}' /proc/$measure/status)
	kill -INT $measure
	wait $measure || fail "$collector: $(cat "$dir/err")"
	balanced "$dir/stat"
	# Its threads' time is exact, but a VM has one or two samples here: where all of them
	# met interrupts, none of that time is the VM's own. Not the last, cut off interval, in
	# which some VM may have slept.
	holds "$dir/stat" "$ran"'[.[1:-1][] | [ran] | length] |
		length > 0 and all(. == '$vms')' \
		"$collector: not $vms VMs that ran: $(jq -c "$ran[.duration_s, ([ran] | length)]" \
			"$dir/stat" | tr '\n' ' ')"
	[ "$peak" -le 20480 ] || fail "$collector: $peak kB resident at most"
	echo "INFO $collector: $peak kB resident with $vms VMs"
done
stop_guests
finish
