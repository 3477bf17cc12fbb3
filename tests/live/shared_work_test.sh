#!/bin/bash
# Shared work of real VMs: a disk's softirqs are charged to the VM that reads, by every policy;
# packets of macvtaps in another network namespace are counted and are the VM's that sent them;
# several taps and queues of a VM are found, and a network that passes none is said to be unseen.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh
need_root_and_kvm
rate=5000
! emulated || rate=200

# Block softirqs so far, on all CPUs.
block_softirqs() {
	awk '$1 == "BLOCK:" { for (i = 2; i <= NF; i++) n += $i } END { print n + 0 }' /proc/softirqs
}

# The disk: one VM reads, the other has none.
test_disk() {
	dd if=/dev/urandom of="$dir/disk" bs=1M count=32 status=none
	sync "$dir/disk"
	start_guests --name reader --guest 1 --sleep 2 --disk "$dir/disk" --disk-reads-per-second 20000 \
		--iothread-sleep 1 --duration 600
	reader=$load
	start_guests --name idler --guest 1 --sleep 2 --duration 600
	all=0
	for policy in affine causal bytes none; do
		before=$(block_softirqs)
		"$kvmperf" stat -f json -i 3 -n 1 -F 999 --budget none --apportion $policy -o "$dir/stat" \
			2>"$dir/err" || fail "$policy: $(cat "$dir/err")"
		runs=$(($(block_softirqs) - before))
		balanced "$dir/stat"
		work=$(jq -c '[(.vms[] | select(.name | startswith("reader")) | .shared_work.block // 0),
			(.vms[] | select(.name | startswith("idler")) | .shared_work.block // 0),
			.host.shared_unattributed_work.block // 0]' "$dir/stat")
		echo "INFO $policy: block work of reader, idler, nobody: $work s; $runs block softirqs"
		case $policy in
		none) wanted='.[0] == 0 and .[1] == 0' ;;
		# A sample stands for a millisecond.
		*) wanted='.[1] == 0 and (add < 0.001 or .[0] > 0.5 * add)' ;;
		esac
		echo "$work" | jq -e "$wanted" >/dev/null || fail "$policy: $work s of block work"
		all=$(echo "$work" | jq "$all + .[0]")
	done
	# Where the disk's completions are softirqs at all. Few samples land in them
	# (docs/shared-work.md), but some do.
	[ "$runs" -lt 10000 ] || [ "$all" != 0 ] || fail "the reader paid for none of $runs softirqs"
	kill "$reader"
	wait "$reader"
	stop_guests
}

# Not every file system (tmpfs) can read past the page cache.
if dd if=/dev/zero of="$dir/disk" oflag=direct bs=4096 count=1 status=none 2>/dev/null; then
	test_disk
else
	echo "INFO no reads past the page cache in $dir: no block work tested"
fi

# Macvtaps: the first VM broadcasts, the other one receives it.
namespace=kpmacvtap$$
ip netns add "$namespace" 2>/dev/null || skip "no network namespaces"
nodes=
remove_namespace() {
	cleanup
	ip netns del "$namespace"
	# shellcheck disable=SC2086
	rm -f $nodes
}
trap remove_namespace EXIT
inside() {
	ip netns exec "$namespace" "$@"
}
inside ip link add lower type veth peer name far
inside ip link set lower up
inside ip link set far up
for tap in kpmv1 kpmv2; do
	inside ip link add link lower name $tap type macvtap mode bridge 2>"$dir/err" ||
		skip "the kernel has no macvtap: $(cat "$dir/err")"
	inside ip link set $tap up
	index=$(inside cat /sys/class/net/$tap/ifindex)
	# Only udev and the initial namespace's devtmpfs make the file by themselves.
	if [ ! -e "/dev/tap$index" ]; then
		device=$(inside cat "/sys/class/net/$tap/macvtap/tap$index/dev")
		mknod "/dev/tap$index" c "${device%:*}" "${device#*:}"
		nodes="$nodes /dev/tap$index"
	fi
done
mkfifo "$dir/ready"
ip netns exec "$namespace" "$kvmload" --quiet --ready-fd 9 --vms 2 --name mv \
	--guest 1 --sleep 2 --tap kpmv1,kpmv2 --tap-packets-per-second $rate --tap-bytes 200 \
	--duration 600 >/dev/null 2>"$dir/kvmload.err" 9>"$dir/ready" &
guests=$!
load=$!
head -c 1 "$dir/ready" >/dev/null
"$kvmperf" stat -f json -i 2 -n 1 -o "$dir/stat" 2>"$dir/err" || fail "macvtap: $(cat "$dir/err")"
balanced "$dir/stat"
holds "$dir/stat" '[.[0].vms[] | select(.name | startswith("mv"))] | length == 2 and
	all(.net_unseen == [] and (.taps | length) == 1)' \
	"macvtap: taps are $(jq -c '[.vms[] | {name, taps, net_unseen}]' "$dir/stat")"
# Each sends as many, and receives what the other sends.
holds "$dir/stat" '.[0] | .duration_s as $s | .vms | map(select(.name | startswith("mv"))) |
	all((.net.tx_packets / $s / '$rate' - 1 | fabs) < 0.1 and
		(.net.rx_packets / $s / '$rate' - 1 | fabs) < 0.1
		and (.net.tx_bytes / .net.tx_packets - 200 | fabs) < 20)' \
	"macvtap: $(jq -c '[.vms[] | {name, net}]' "$dir/stat")"
stop_guests

# QEMU's ways to a network: several queues of a tap, two taps, and one that nobody sees.
inside ip tuntap add kpmq mode tap multi_queue
inside ip tuntap add kpmone mode tap
tap=script=no,downscript=no
ip netns exec "$namespace" qemu-system-x86_64 -name networks -accel kvm -S -nodefaults -m 32 \
	-display none -netdev tap,id=a,ifname=kpmq,queues=2,$tap \
	-netdev tap,id=b,ifname=kpmone,$tap -netdev user,id=c 2>"$dir/qemu.err" &
guests=$!
load=$!
for try in $(seq 100); do
	[ "$(inside cat /sys/class/net/kpmone/carrier 2>/dev/null)" = 1 ] && break
	inside ip link set kpmone up
	sleep 0.1
done
"$kvmperf" stat -f json -i 1 -n 1 -o "$dir/stat" 2>"$dir/err" || fail "QEMU: $(cat "$dir/err")"
holds "$dir/stat" '[.[0].vms[] | select(.name == "networks") | (.taps | sort), .net_unseen] ==
	[["kpmone", "kpmq"], ["user-mode"]]' \
	"QEMU's networks: $(jq -c '[.vms[] | {name, taps, net_unseen}]' "$dir/stat") $(cat "$dir/qemu.err")"
grep -q 'not seen.*networks through user-mode' "$dir/err" || fail "nobody says what is not seen"
stop_guests
finish
