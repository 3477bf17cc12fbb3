#!/bin/bash
# At least 98 % of the kernel samples of a mixed load get a subsystem, and the right one where
# the function is known. KVMPERF and KVMLOAD name the programs (default: in build/).
set -u

kvmload=${KVMLOAD:-build/kvmload}
build=$(dirname "${KVMPERF:-build/kvmperf}")
checker=$build/tests/live/symbols_test

if ! command -v perf >/dev/null; then
	echo "SKIP: perf (linux-perf) is not installed"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "SKIP: needs root for perf record -a and the addresses in /proc/kallsyms"
	exit 0
fi

dir=$(mktemp -d) || exit 1
recorder=
trap '[ -z "$recorder" ] || kill "$recorder" 2>/dev/null; rm -rf "$dir"' EXIT

perf record -q -a -e cpu-clock -F 999 -o "$dir/perf.data" -- sleep 6 >"$dir/perf.log" 2>&1 &
recorder=$!
sleep 0.3

udp() {
	local end=$((SECONDS + 1))
	exec 3<>/dev/udp/127.0.0.1/9
	while [ $SECONDS -le $end ]; do
		echo packet >&3 2>/dev/null
	done
}

if [ -w /dev/kvm ] && [ -x "$kvmload" ]; then
	timeout 5 "$kvmload" --duration 1 >/dev/null 2>&1 &
	guest=$!
fi
timeout 2 perf bench sched pipe -l 20000 >/dev/null 2>&1
timeout 2 perf bench sched messaging -l 20 >/dev/null 2>&1
dd if=/dev/zero of="$dir/file" bs=64k count=800 conv=fsync 2>/dev/null
dd if="$dir/file" of=/dev/null bs=4k 2>/dev/null
dd if=/dev/urandom of=/dev/null bs=1M count=60 2>/dev/null
for _ in {1..150}; do
	/bin/true
done
timeout 1 find / -xdev >/dev/null 2>&1
udp
exec 3>&-
[ -z "${guest:-}" ] || wait "$guest"

if ! wait "$recorder"; then
	recorder=
	echo "SKIP: perf record failed: $(head -n 1 "$dir/perf.log")"
	exit 0
fi
recorder=
perf script -i "$dir/perf.data" -F pid,ip,sym 2>/dev/null | "$checker"
