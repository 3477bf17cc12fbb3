#!/bin/sh
# Exact mode on this kernel, without a VM: all accounts sum to the time of all CPUs, to the
# nanosecond, under context switches, forks, interrupts and softirqs. And the reasons of VM exits
# are read where they stand.
set -u
build=$(dirname "${KVMPERF:-build/kvmperf}")

[ "$(id -u)" -eq 0 ] || {
	echo "SKIP: not root"
	exit 0
}
[ -e /sys/kernel/btf/vmlinux ] || {
	echo "SKIP: the kernel has no BTF"
	exit 0
}

# Something of everything: processes that come and go, pipes, packets over loopback.
work() {
	while :; do
		for word in a b c d; do
			echo $word | cat >/dev/null
		done
		ping -q -i 0.002 -c 50 127.0.0.1 >/dev/null 2>&1
	done
}
work &
worker=$!
trap 'kill $worker 2>/dev/null' EXIT
"$build/tests/live/exact_test" 20 150 || exit 1
"$build/tests/live/exact_reason_test" || exit 1

# The same as an ordinary user; what an event costs is not known then.
if command -v setpriv >/dev/null; then
	dir=$(mktemp -d)
	trap 'kill $worker 2>/dev/null; rm -rf "$dir"' EXIT
	chmod 755 "$dir"
	install -m 755 "$build/tests/live/exact_test" "$build/tests/live/exact_reason_test" \
		"$dir/"
	as_user() {
		setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+bpf,+perfmon \
			--ambient-caps=-all,+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon "$@"
	}
	as_user "$dir/exact_test" 5 100 || exit 1
	as_user "$dir/exact_reason_test" || exit 1
fi
