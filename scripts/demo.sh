#!/bin/sh
# Installs what is missing, builds, and shows the main job: accounts for the VMs
# that run on this host; where none runs, for demo guests of our own; where there
# is no KVM either, for web servers in the lab, an emulated KVM host.
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
	echo "No VM runs on this host, and there is no /dev/kvm to start one."
	echo "Two web servers in the lab instead (an emulated KVM host: about two minutes, and"
	echo "the first time it downloads two kernels), 10 requests a second to each:"
	scripts/setup.sh lab
	# Expanded in the lab.
	# shellcheck disable=SC2016
	exec lab/lab --guests 2 --http 10 run -- sh -c '
		kvmperf=$1
		echo && $kvmperf list && echo && $kvmperf stat -i 2 -n "$2" &&
			echo "Where it went, by module:" && $kvmperf stat -i 5 -n 1 --by module
		' demo $build/kvmperf "$seconds"
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
