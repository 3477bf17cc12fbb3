#!/bin/bash
# Part A of the benchmark of shared work, in a network namespace of its own: two "VMs"
# that are taps on a bridge. For each case three runs: one's traffic alone, the other's
# alone, both. Writes a JSON object a case: the exact softirq time of each run and what
# each policy would charge. Started by shared.sh.
# usage: shared_cases.sh BUILD SECONDS
set -u
build=$1
seconds=$2

# The uplink stands for the physical NIC. Receive packet steering hands each tap's frames to
# the softirq of CPU 1, as a NIC's interrupt does; the sender stays on CPU 0.
mount -t sysfs sysfs /sys || exit 1
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
for tap in uplink vma vmb; do
	ip tuntap add "$tap" mode tap
	echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6" 2>/dev/null
	ip link set "$tap" mtu 9000 master br0 up
	echo 2 >"/sys/class/net/$tap/queues/rx-0/rps_cpus"
done
echo 1 >/proc/sys/net/ipv6/conf/br0/disable_ipv6 2>/dev/null

# flows DIRECTION NAME BYTES FRAMES
flows() {
	case $1 in
	receive) echo "uplink,$2,$3,$4" ;;
	transmit) echo "$2,uplink,$3,$4" ;;
	both) echo "uplink,$2,$3,$(($4 / 2)) $2,uplink,$3,$(($4 / 2))" ;;
	esac
}

# run FLOW...: what softirq_time says while the flows are sent
run() {
	"$build/tap_traffic" -k 1000 -c 0 "$@" >/dev/null &
	traffic=$!
	"$build/softirq_time" -t "$seconds" vma vmb
	kill $traffic
	wait $traffic
}

# What runs without any traffic of ours: the same is in every run.
"$build/softirq_time" -t 1 vma vmb | jq -c '{background_s_per_s: (.net_rx_s / .duration_s)}'
for direction in receive transmit both; do
	for sizes in "60 60" "60 1514" "1514 1514" "60 9014"; do
		for ratio in "20 20" "4 40" "40 4"; do
			read -r size_a size_b <<<"$sizes"
			read -r frames_a frames_b <<<"$ratio"
			a=$(flows "$direction" vma "$size_a" "$frames_a")
			b=$(flows "$direction" vmb "$size_b" "$frames_b")
			# shellcheck disable=SC2086 # several flows
			{
				run $a
				run $b
				run $a $b
			} | jq -sc --arg direction "$direction" --argjson sizes "[$size_a, $size_b]" \
				--argjson frames "[$frames_a, $frames_b]" \
				'{direction: $direction, sizes: $sizes, frames: $frames, alone: .[:2], both: .[2]}'
			printf '\r%s %s %s ' "$direction" "$sizes" "$ratio" >&2
		done
	done
done
