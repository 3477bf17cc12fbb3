#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# VMs that change while they are measured: killed and their tap removed in the
# middle of an interval, and run by a program of another name.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

lab/guest/start --first 2 --load user || fail "web2 did not start"
"$kvmperf" stat -f json -o "$dir/stat" -- \
	sh -c 'sleep 2; lab/guest/stop 2; sleep 2' || fail "stat failed"
balanced "$dir/stat"
# The guest used its CPU for two of the four seconds.
holds "$dir/stat" '[.[0].vms[] | select(.name == "web2")] | length == 1 and .[0].total_s > 1' \
	"the killed guest's time is lost: $(jq -c '[.vms[] | [.name, .total_s]]' "$dir/stat")"
holds "$dir/stat" '[.[0].vms[] | select(.name == "web1")] | length == 1' "web1 is missing"

"$kvmperf" stat -f json -n 1 -o "$dir/after" || fail "stat failed"
holds "$dir/after" '[.[0].vms[].name] == ["web1"]' "the killed guest is still shown"

# The name of the program says nothing of what it is: its KVM file descriptors do.
cp "$(command -v qemu-system-x86_64)" /usr/bin/vmm-9.2
lab/guest/start --first 2 --load user --vmm vmm-9.2 || fail "web2 did not start"
"$kvmperf" stat -f json -i 2 -n 1 -o "$dir/renamed" || fail "stat failed"
balanced "$dir/renamed"
holds "$dir/renamed" '[.[0].vms[] | select(.taps == ["tap2"])] | length == 1 and .[0].total_s > 1' \
	"a VMM of another name: $(jq -c '[.vms[] | [.name, .vmm, .total_s]]' "$dir/renamed")"
lab/guest/stop 2
rm /usr/bin/vmm-9.2
finish
