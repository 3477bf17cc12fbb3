#!/bin/sh
# 100 VMs: all are accounted for, in less than 20 MB, by both collectors.
set -u
. tests/live/lib.sh
need_root_and_kvm

start_guests --vms 100 --name many --guest 1 --user 0.5 --kernel 0.5 --sleep 200 --duration 60
for collector in bpf perf; do
	"$kvmperf" stat -f json -i 1 --collector $collector -o "$dir/stat" 2>"$dir/err" &
	measure=$!
	sleep 3.6
	peak=$(awk '/VmHWM/ {print $2}' /proc/$measure/status)
	kill -INT $measure
	wait $measure || fail "$collector: $(cat "$dir/err")"
	balanced "$dir/stat"
	holds "$dir/stat" 'all(.[1:3][]; [.vms[] | select(.name | startswith("many")) |
		select(.total_s > 0)] | length == 100)' "$collector: not 100 VMs that ran"
	[ "$peak" -le 20480 ] || fail "$collector: $peak kB resident at most"
	echo "INFO $collector: $peak kB resident with 100 VMs"
done
stop_guests
finish
