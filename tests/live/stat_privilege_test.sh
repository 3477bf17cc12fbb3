#!/bin/sh
# kvmperf as an ordinary user: with the documented capabilities it does all, with
# any one of them missing it says which, or what it falls back to.
set -u
. tests/live/lib.sh
need_root_and_kvm
command -v setpriv >/dev/null || skip "no setpriv"

# A place that an ordinary user can reach.
chmod 755 "$dir"
install -m 755 "$kvmperf" "$dir/kvmperf"

# as CAPABILITIES COMMAND...: as nobody, with these alone ("" for none).
as() {
	set_to=$1
	shift
	caps=-all
	for cap in $set_to; do
		caps=$caps,+$cap
	done
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$caps" \
		--ambient-caps="$caps" --bounding-set="$caps" "$@"
}

start_guests --name cap --guest 3 --user 2 --kernel 1 --duration 600
all="bpf perfmon syslog sys_ptrace dac_read_search"

# Debian's kernels have a level at which CAP_PERFMON is not enough.
paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
if [ "$paranoid" -gt 2 ]; then
	status 3 as "$all" "$dir/kvmperf" stat -n 1
	says "kernel.perf_event_paranoid at most 2"
	restore() {
		echo "$paranoid" >/proc/sys/kernel/perf_event_paranoid
		cleanup
	}
	trap restore EXIT
	echo 2 >/proc/sys/kernel/perf_event_paranoid
fi

# No word of a lower rate, should samples be dear here.
status 0 as "$all" "$dir/kvmperf" stat -f json -i 0.5 -n 1 --budget none
balanced "$dir/out"
[ -s "$dir/err" ] && fail "with all capabilities: $(cat "$dir/err")"
holds "$dir/out" '.[0].source.collector == "bpf"' "not the BPF collector"
holds "$dir/out" '[.[0].vms[] | select(.name == "cap1")] | length == 1 and
	(.[0] | .guest_s > 0 and .vmm_s > 0 and .exits > 0 and .vmm_dsos.kvmload > 0)' \
	"cap1's figures as an ordinary user"

status 0 as "perfmon syslog sys_ptrace dac_read_search" "$dir/kvmperf" stat -f json -i 0.5 -n 1
says "CAP_BPF"
holds "$dir/out" '.[0].source.collector == "perf"' "no fallback to the perf collector"
balanced "$dir/out"
status 3 as "perfmon syslog sys_ptrace dac_read_search" "$dir/kvmperf" stat -n 1 --collector bpf
says "CAP_BPF"
status 3 as "bpf perfmon sys_ptrace dac_read_search" "$dir/kvmperf" stat -n 1
says "CAP_SYSLOG"
status 3 as "syslog sys_ptrace dac_read_search" "$dir/kvmperf" stat -n 1 --collector perf
says "CAP_PERFMON"
status 3 as "" "$dir/kvmperf" stat -n 1
status 3 as "" "$dir/kvmperf" list
# unshare can't do this where the root directory is no mount point (a chroot).
if unshare --pid --fork --mount-proc true 2>/dev/null; then
	status 3 unshare --pid --fork --mount-proc "$dir/kvmperf" stat -n 1
	says "namespace"
fi
stop_guests
finish
