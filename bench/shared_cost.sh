#!/bin/bash
# What causal tagging costs a packet, in a network namespace of its own: frames of 60 bytes
# from one tap to another, in bursts, by the softirqs of CPU 1. Started by shared.sh.
# usage: shared_cost.sh BUILD PAIRS-OF-WINDOWS
set -u
bench=$(dirname "$0")
build=$1
pairs=$2

mount -t sysfs sysfs /sys || exit 1
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
for tap in uplink vma; do
	ip tuntap add "$tap" mode tap
	echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6" 2>/dev/null
	ip link set "$tap" master br0 up
	echo 2 >"/sys/class/net/$tap/queues/rx-0/rps_cpus"
done
echo 1 >/proc/sys/net/ipv6/conf/br0/disable_ipv6 2>/dev/null
for flow in uplink,vma vma,uplink; do
	"$build/tap_traffic" -k 1000 -c 0 "$flow,60,100" >/dev/null &
	traffic=$!
	sleep 1
	"$build/tagging_cost" 1 vma "$pairs" |
		awk -v flow="$flow" -v block=50 -f "$bench/statistics.awk" -f "$bench/shared_cost.awk" ||
		exit 1
	kill "$traffic"
	wait "$traffic"
done
exit 0
