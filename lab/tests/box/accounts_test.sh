#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# On a host with kvm, tun, vhost, bridge and the NIC's driver as modules: VMs by
# name with their taps and vhost workers, host kernel time by module, guest user
# and guest kernel apart, exits as the kernel counts them.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

lab/guest/start --first 2 --load user --vhost off || fail "web2 did not start"
lab/guest/start --first 3 --load syscall || fail "web3 did not start"
"$kvmperf" list >"$dir/list"
for n in 1 2 3; do
	grep -q "^web$n .* tap$n " "$dir/list" || fail "list: no web$n with tap$n: $(cat "$dir/list")"
done

# One perf stat counts the exits of a little longer than kvmperf's interval, one
# of a little less.
perf stat -x, -a -e kvm:kvm_exit -o "$dir/most" \
	"$kvmperf" stat -F 199 --budget none --correction none -f json -o "$dir/stat" -- \
	perf stat -x, -a -e kvm:kvm_exit -o "$dir/least" sleep 20 || fail "stat failed"
balanced "$dir/stat"

holds "$dir/stat" '[.[0].vms[] | [.name, .taps[0]]] == [["web1", "tap1"], ["web2", "tap2"], ["web3", "tap3"]]' \
	"names and taps: $(jq -c '[.vms[] | [.name, .taps]]' "$dir/stat")"
holds "$dir/stat" '[.[0].vms[] | [.threads[] | select(.role == "vhost")] | length] == [1, 0, 1]' \
	"web1 and web3 have a vhost worker each: $(jq -c '[.vms[].threads[].name]' "$dir/stat")"
# Where the work for the web server was done. One sample is 5 ms of 20 s here; with five
# times as many, each of which takes an emulated guest off its CPU, boxes hung.
for module in kvm kvm_amd vhost vhost_net tun bridge e1000; do
	jq -e --arg name $module '.vms[0]
		| (.kernel_modules[$name] // 0) + (.shared_modules[$name] // 0) > 0' \
		"$dir/stat" >/dev/null || fail "no time in $module for web1"
done
for module in kvm kvm_amd; do
	jq -e --arg name $module '.vms[0].kernel_modules[$name] > 0' "$dir/stat" >/dev/null ||
		fail "no time in $module in web1's own threads"
done

# At a rate at which samples don't slow emulated guests, whose timer ticks are kernel work: 4 to
# 14 % of such a guest, and more while the outer machine is slow, hence up to three times.
loops_in_user_mode() {
	"$kvmperf" stat -F 100 --budget none --correction none -i 10 -n 1 -f json -o "$dir/seldom" ||
		fail "stat failed"
	jq -e '.vms[1] | .guest_kernel_s < 0.2 * .guest_s and .guest_user_s > 0.8 * .guest_s' \
		"$dir/seldom" >/dev/null
}
loops_in_user_mode || loops_in_user_mode || loops_in_user_mode ||
	fail "web2 loops in user mode: $(jq -c '.vms[1]
		| [.guest_s, .guest_user_s, .guest_kernel_s]' "$dir/seldom")"
echo "INFO web2 loops in user mode: $(jq -c ".vms[1] | [.guest_s, .guest_user_s, .guest_kernel_s]" "$dir/seldom")"
jq -e '.vms[2].guest_user_s > 0.03 * .vms[2].guest_s and (.vms[1:] | map(.guest_kernel_s / .guest_s)
	| .[1] > 0.3 and .[1] > 1.5 * .[0])' "$dir/stat" >/dev/null ||
	fail "web3 makes system calls: $(jq -c '.vms[1:] | map([.guest_s, .guest_user_s, .guest_kernel_s])' "$dir/stat")"

least=$(awk -F, '/kvm_exit/ { print $1 }' "$dir/least")
most=$(awk -F, '/kvm_exit/ { print $1 }' "$dir/most")
exits=$(jq '[.vms[].exits] | add' "$dir/stat")
[ "$least" -gt 0 ] && [ "$exits" -ge "$least" ] && [ "$exits" -le "$most" ] ||
	fail "$exits exits; kvm:kvm_exit fired between $least and $most times"

lab/guest/stop 2 3
finish
