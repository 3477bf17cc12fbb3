#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# VMs that change while they are measured: killed in the middle of an interval,
# their tap removed, migrated to a process of another name; and a CPU that goes and comes.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

# Interval: web2 goes on without its tap for two seconds, then is killed.
lab/guest/start --first 2 --load user || fail "web2 did not start"
killed=$(cat /run/lab/web2.pid)
"$kvmperf" stat --budget none --correction none -f json -o "$dir/stat" -- \
	sh -c 'sleep 1; ip link del tap2; sleep 2; kill -KILL "$1"; sleep 2' kill "$killed" ||
	fail "stat failed"
balanced "$dir/stat"
# The guest used its CPU for three of the five seconds.
holds "$dir/stat" '[.[0].vms[] | select(.name == "web2")] | length == 1 and .[0].total_s > 1.5' \
	"the killed guest's time is lost: $(jq -c '[.vms[] | [.name, .total_s]]' "$dir/stat")"
holds "$dir/stat" '[.[0].vms[] | select(.name == "web1")] | length == 1' "web1 is missing"
"$kvmperf" stat --correction none -f json -n 1 -o "$dir/after" || fail "stat failed"
holds "$dir/after" '[.[0].vms[].name] == ["web1"]' "the killed guest is still shown"

# A VM whose tap was removed is still a VM.
lab/guest/start --first 2 --load user || fail "web2 did not start"
ip link del tap2
"$kvmperf" stat --budget none --correction none -f json -i 2 -n 1 -o "$dir/stat" || fail "stat failed"
balanced "$dir/stat"
holds "$dir/stat" '[.[0].vms[] | select(.name == "web2")]
	| length == 1 and .[0].taps == [] and .[0].total_s > 0.5' \
	"web2 without tap: $(jq -c '[.vms[] | [.name, .taps, .total_s]]' "$dir/stat")"

# The same options but for files, tap and program: web2 moves to a VMM of another
# name while it is measured.
cp "$(command -v qemu-system-x86_64)" /usr/bin/vmm-9.2
source=$(cat /run/lab/web2.pid)
mapfile -d '' options <"/proc/$source/cmdline"
options=("${options[@]//\/run\/lab\/web2/\/run\/lab\/moved}")
options=("${options[@]//ifname=tap2/ifname=tap3}")
ip tuntap add tap3 mode tap vnet_hdr
ip link set tap3 master br0 up
vmm-9.2 "${options[@]:1}" -incoming unix:/run/lab/migration || fail "no process to migrate to"
target=$(cat /run/lab/moved.pid)

monitor() {
	echo "$2" | socat -t 5 - "unix-connect:/run/lab/$1.monitor"
}
migrate() {
	sleep 1
	monitor web2 "migrate unix:/run/lab/migration" >/dev/null
	timeout 60 bash -c 'until echo "info status" | socat -t 5 - unix-connect:/run/lab/moved.monitor |
		grep -q running; do sleep 0.2; done' || return
	kill -KILL "$source"
	sleep 2
}
export -f monitor migrate
export source
"$kvmperf" stat --budget none --correction none -f json -o "$dir/stat" -- bash -c migrate || fail "stat or the migration failed"
balanced "$dir/stat"
holds "$dir/stat" "[.[0].vms[] | select(.name == \"web2\") | {pid, busy: (.total_s > 0.5)}]
	| sort_by(.pid) == ([{pid: $source, busy: true}, {pid: $target, busy: true}] | sort_by(.pid))" \
	"migration from $source to $target: $(jq -c '[.vms[] | [.name, .pid, .taps, .total_s]]' "$dir/stat")"
"$kvmperf" stat --correction none -f json -n 1 -o "$dir/after" || fail "stat failed"
holds "$dir/after" "[.[0].vms[] | select(.name == \"web2\") | [.pid, .vmm, .taps]] == [[$target, \"qemu\", [\"tap3\"]]]" \
	"after the migration: $(jq -c '[.vms[] | [.name, .pid, .vmm, .taps]]' "$dir/after")"

kill -KILL "$target"
ip link del tap3
rm -f /run/lab/web2.* /run/lab/moved.* /usr/bin/vmm-9.2

# CPU 2 goes offline and comes back: the books are those of the CPUs that there are.
cpu=/sys/devices/system/cpu/cpu2/online
# intervals N: waits until stat has written so many.
intervals() {
	local end=$((SECONDS + 60))
	until [ "$(wc -l <"$dir/stat")" -ge "$1" ]; do
		if [ $SECONDS -ge $end ]; then
			fail "no interval $1: $(cat "$dir/err")"
			return
		fi
		sleep 0.2
	done
}
: >"$dir/stat"
"$kvmperf" stat --budget none --correction none -f json -i 1 -o "$dir/stat" 2>"$dir/err" &
stat=$!
intervals 1
echo 0 >$cpu || fail "CPU 2 does not go offline"
sleep 2
before=$(wc -l <"$dir/stat")
intervals $((before + 1))
echo 1 >$cpu || fail "CPU 2 does not come back"
sleep 2
before=$(wc -l <"$dir/stat")
intervals $((before + 1))
kill -INT $stat
wait $stat || fail "stat failed: $(cat "$dir/err")"
balanced "$dir/stat"
holds "$dir/stat" 'map(.cpus) | .[0] == 3 and .[-1] == 3 and unique == [2, 3]' \
	"CPUs: $(jq -c .cpus "$dir/stat" | tr '\n' ' ')"
[ "$(grep -c 'CPUs .* measuring begins anew' "$dir/err")" = 2 ] || fail "said: $(cat "$dir/err")"

# A recording ends, valid.
"$kvmperf" record -F 99 -i 1 -d 60 -o "$dir/perf.data" 2>"$dir/err" &
record=$!
sleep 8
echo 0 >$cpu
wait $record && fail "record did not see that a CPU went"
echo 1 >$cpu
grep -q 'CPUs 0-2 were online and 0-1 are now: the recording ends here' "$dir/err" ||
	fail "said: $(cat "$dir/err")"
"$kvmperf" report -i "$dir/perf.data" -f json -o "$dir/stat" || fail "the recording is broken"
balanced "$dir/stat"
finish
