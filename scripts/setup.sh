#!/bin/sh
# Installs the Debian packages that kvmperf's build, tests and demo need and
# that are missing. Does nothing, quickly, when all are there.
# Usage: scripts/setup.sh [build|check|lab|bench]   (default: build; each but the
# last includes the ones before it)
set -eu

build="gcc make clang bpftool libbpf-dev libelf-dev libzstd-dev libjansson-dev zlib1g-dev libc6-dev
protobuf-c-compiler libprotobuf-c-dev"
check="libcmocka-dev libclang-rt-dev libasan8 libubsan1 iproute2 procps util-linux clang-format jq linux-perf
qemu-system-x86 mandoc"
lab="busybox-static cpio kmod socat xz-utils httperf gnuplot-nox libvirt-daemon
libvirt-daemon-driver-qemu libvirt-clients"
bench="sysstat bc time"

case ${1:-build} in
build) want=$build ;;
check) want="$build $check" ;;
lab) want="$build $check $lab" ;;
bench) want="$build $check $bench" ;;
*)
	echo "setup.sh: unknown set '$1' (build, check, lab or bench)" >&2
	exit 2
	;;
esac

# One query for all: where dpkg's database is read slowly (lab/), each takes seconds.
# shellcheck disable=SC2016,SC2086
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $want 2>/dev/null |
	awk '$2 == "installed" { printf " %s", $1 } END { print " " }')
missing=
for package in $want; do
	case $installed in
	*" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "setup.sh: install these with your package manager:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "setup.sh: as root, run: apt-get install$missing" >&2
	exit 3
fi
echo "setup: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Another apt (a cloud image updates itself at its first boot) is waited for.
wait="-o DPkg::Lock::Timeout=300"
if ! { apt-get update -q $wait && apt-get install -q -y --no-install-recommends $wait $missing; } \
	>"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "setup.sh: apt-get could not install:$missing" >&2
	exit 1
fi
