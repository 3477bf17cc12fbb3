#!/bin/sh
# Installs what is missing, builds, and shows the main job: accounts for the VMs
# that run on this host; where none runs, for demo guests of our own.
set -eu
cd "$(dirname "$0")/.."

build=build
seconds=4
load=

finish() {
	[ -z "$load" ] || kill "$load" 2>/dev/null || true
	[ -z "$load" ] || wait "$load" 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" -ne 0 ]; then
	echo "demo: run as root (sudo scripts/demo.sh), to sample all CPUs and to see every VM" >&2
	exit 3
fi
scripts/setup.sh build
echo "Building..."
make --no-print-directory -s -j2 all $build/kvmload

if [ -n "$($build/kvmperf list -f json 2>/dev/null)" ]; then
	echo "The VMs of this host, for $seconds seconds:"
elif [ ! -e /dev/kvm ]; then
	echo "demo: no VM runs here and there is no /dev/kvm to start one:" \
		"load kvm_intel or kvm_amd, or enable (nested) virtualization" >&2
	exit 3
else
	echo "No VM runs on this host. Two guests of our own, for $seconds seconds:"
	echo "  demo-guest1 computes, its VMM helps (30 ms guest, 20 user, 10 kernel);"
	echo "  demo-host1 makes the host work (2 ms guest, 8 ms kernel, 20 ms asleep)."
	(
		$build/kvmload --quiet --name demo-guest --duration 60 --guest 30 --user 20 \
			--kernel 10 >/dev/null &
		one=$!
		$build/kvmload --quiet --name demo-host --duration 60 --guest 2 --kernel 8 \
			--sleep 20 >/dev/null &
		two=$!
		trap 'kill $one $two 2>/dev/null; wait; exit' INT TERM EXIT
		wait
	) &
	load=$!
	tries=50
	while [ "$($build/kvmperf list -f json 2>/dev/null | grep -c '"vcpus": *1')" -lt 2 ] &&
		[ $tries -gt 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
fi

echo
$build/kvmperf list
echo
$build/kvmperf stat -i 1 -n "$seconds"
echo "Where it went, by module:"
$build/kvmperf stat -i 2 -n 1 --by module
