# Shared by the parts of the benchmark of shared work that make traffic. Source it.

# make_bridge TAP...: taps on a bridge, in a network namespace of the caller's own. Receive
# packet steering hands each tap's frames to the softirq of CPU 1, as a NIC's interrupt does.
make_bridge() {
	mount -t sysfs sysfs /sys || exit 1
	ip link set lo up
	ip link add br0 type bridge
	ip link set br0 up
	for tap in "$@"; do
		ip tuntap add "$tap" mode tap
		echo 1 >"/proc/sys/net/ipv6/conf/$tap/disable_ipv6" 2>/dev/null
		ip link set "$tap" mtu 9000 master br0 up
		echo 2 >"/sys/class/net/$tap/queues/rx-0/rps_cpus"
	done
	echo 1 >/proc/sys/net/ipv6/conf/br0/disable_ipv6 2>/dev/null
}

# write_case ROUNDS DIRECTION SIZES FRAMES ALONE-FRAMES COMMAND: a case's command for each round,
# and on descriptor 3 what it is, as JSON. SIZES and the like: two numbers.
write_case() {
	for _ in $(seq "$1"); do
		echo "$6"
		echo "{\"direction\":\"$2\",\"sizes\":[${3/ /,}],\"frames\":[${4/ /,}],\"alone_frames\":[${5/ /,}]}" >&3
	done
}
