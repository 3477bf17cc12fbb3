#!/bin/bash
# What causal tagging costs a packet, in a network namespace of its own: frames of 60 bytes
# from one tap to another, in bursts, by the softirqs of CPU 1. Started by shared.sh.
# usage: shared_cost.sh BUILD PAIRS-OF-WINDOWS
set -u
bench=$(dirname "$0")
build=$1
pairs=$2

. "$bench/shared_lib.sh"
make_bridge uplink vma
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
