#!/bin/bash
# Causal tagging on taps in a network namespace of the test's own: every packet of a
# softirq finds its owner, and none of the softirqs' time is lost. Needs no KVM.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh
build=$(dirname "$kvmperf")

[ "$(id -u)" -eq 0 ] || skip "not root"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
if [ "${1:-}" != inside ]; then
	unshare -n -m true 2>/dev/null || skip "no network namespaces"
	unshare -n -m "$0" inside
	exit
fi

mount -t sysfs sysfs /sys || skip "cannot mount sysfs for the namespace"
ip link add br0 type bridge 2>/dev/null || skip "there are no bridges"
ip link set br0 up
last=$(($(nproc) - 1))
mask=$(printf %x $((1 << last)))
for tap in uplink vma vmb; do
	ip tuntap add "$tap" mode tap
	echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6" 2>/dev/null
	ip link set "$tap" master br0 up
	echo "$mask" >"/sys/class/net/$tap/queues/rx-0/rps_cpus" 2>/dev/null ||
		skip "the kernel has no receive packet steering"
done
echo 1 >/proc/sys/net/ipv6/conf/br0/disable_ipv6 2>/dev/null

# traffic FLOW...: what softirq_time saw, in $dir/out
traffic() {
	"$build/tap_traffic" -k 2000 "$@" >"$dir/sent" &
	sender=$!
	status 0 "$build/softirq_time" -t 1 vma vmb
	kill $sender
	wait $sender
	grep -q 'Permission\|not permitted\|does not load' "$dir/err" && skip "$(cat "$dir/err")"
}

# sums: whatever the policy, the time is divided without a rest
sums() {
	holds "$dir/out" '.[0] | .net_rx_s as $all | [.bytes, .packets, .affine_default, .affine, .causal]
		| all(add - $all | fabs < 1e-7)' "$1: the parts are not the whole: $(cat "$dir/out")"
	holds "$dir/out" '.[0].lost == 0' "$1: batches were lost"
}

# Received by both, as many each: what is tagged is what the taps count, but for what is on
# its way at the ends.
traffic uplink,vma,60,10 uplink,vmb,1514,10
sums receive
holds "$dir/out" '.[0].users | all(.packets > 100 and (.tagged_packets - .packets | fabs) < 0.1 * .packets + 50)' \
	"received packets: $(jq -c .users "$dir/out")"
holds "$dir/out" '.[0].causal | .[0] > 0 and .[1] > 0' "nobody paid for received packets"

# Sent: the sender pays, not the uplink.
traffic vma,uplink,60,10
sums send
holds "$dir/out" '.[0].users | .[0].tagged_packets > 100 and .[1].tagged_packets == 0' \
	"sent packets: $(jq -c .users "$dir/out")"
holds "$dir/out" '.[0].causal | .[0] > 0 and .[1] == 0' "the sender did not pay alone"

# From one VM to another: the sender pays for the whole way.
traffic vma,vmb,60,10
sums "VM to VM"
holds "$dir/out" '.[0].causal | .[0] > 0 and .[1] == 0' \
	"VM to VM: $(jq -c .causal "$dir/out")"

# A broadcast from outside is nobody's; by a VM it is the VM's.
traffic uplink,all,60,10
sums broadcast
holds "$dir/out" '.[0].causal | .[0] == 0 and .[1] == 0 and .[2] > 0' \
	"a broadcast from outside: $(jq -c .causal "$dir/out")"
traffic vmb,all,60,10
holds "$dir/out" '.[0].causal | .[0] == 0 and .[1] > 0' \
	"a VM's broadcast: $(jq -c .causal "$dir/out")"
finish
