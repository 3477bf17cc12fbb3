#!/bin/sh
# `kvmperf stat` as a user meets it: formats, groupings, selection, a command to
# measure, the ways to stop it, and every kind of wrong use.
set -u
. tests/live/lib.sh
need_root_and_kvm

"$kvmperf" 2>/dev/null && fail "no command: success"
"$kvmperf" --help >"$dir/out" && grep -q stat "$dir/out" || fail "--help"
"$kvmperf" --version | grep -q '^kvmperf [0-9]' || fail "--version"
status 2 "$kvmperf" nonsense
says "unknown command 'nonsense'"
status 2 "$kvmperf" stat --nonsense
says "--nonsense"
status 2 "$kvmperf" stat -i 0
status 2 "$kvmperf" stat -n x
status 2 "$kvmperf" stat surplus
status 2 "$kvmperf" stat --exact --collector perf
status 1 "$kvmperf" stat --vm no-such-vm -n 1
says "no-such-vm"
status 1 "$kvmperf" stat -n 1 -o /nonexistent/file
says "/nonexistent/file"
status 1 "$kvmperf" stat -- /nonexistent/command
says "/nonexistent/command"
for format in table csv json; do
	status 1 "$kvmperf" stat -i 0.1 -n 1 -f $format -o /dev/full -- true
	says "/dev/full"
done

start_guests --vms 2 --name use --guest 3 --user 2 --kernel 1 --duration 600

# Formats and groupings; the sum of the total column is the capacity.
for by in vm thread module; do
	status 0 "$kvmperf" stat -i 0.5 -n 2 --by $by
	grep -q 'use1' "$dir/out" || fail "table by $by: use1 is missing"
	grep -q 'balanced to the nanosecond' "$dir/out" || fail "table by $by: no balance"
	grep -q 'summary of 2 intervals' "$dir/out" || fail "table by $by: no summary"
	[ "$(awk '{ if (length($0) > 80) n++ } END { print n + 0 }' "$dir/out")" -le 3 ] ||
		fail "table by $by: wider than 80"
	grep -q "$(printf '\033')" "$dir/out" && fail "table by $by: escapes in a pipe"
	status 0 "$kvmperf" stat -i 0.5 -n 1 --by $by -f csv
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "total_s") t = i; n = NF; next }
		NF != n { exit 1 } { sum += $t; capacity = $3 }
		END { d = sum - capacity; if (d < 0) d = -d; exit !(t && d <= 1e-6 * capacity) }' \
		"$dir/out" || fail "CSV by $by: columns, or total_s against capacity_s"
done

# Selection keeps the books: the other VM is a process.
status 0 "$kvmperf" stat -i 0.5 -n 1 -f json --vm use2 -o "$dir/selected"
balanced "$dir/selected"
holds "$dir/selected" '.[0].vms | map(.name) == ["use2"]' "selection by name"
holds "$dir/selected" '.[0].host | .other_vms_s > 0 and .processes_s >= .other_vms_s' \
	"the other VM's time"
pid=$(jq '.vms[0].pid' "$dir/selected")
id=$(jq -r '.vms[0].id' "$dir/selected")
for name in "$pid" "$id"; do
	status 0 "$kvmperf" stat -i 0.2 -n 1 -f json --vm "$name" -o "$dir/selected"
	holds "$dir/selected" '.[0].vms | map(.name) == ["use2"]' "selection by $name"
done

# Exact, or a word on why not: PVM's tracepoints are silent. The budget has room for a part of
# each interval where events are dear.
status 0 "$kvmperf" stat --exact --budget 10 -i 1 -n 2 -f json
balanced "$dir/out"
if jq -es 'any(.[]; .source.exact)' "$dir/out" >/dev/null; then
	holds "$dir/out" 'last(.[] | select(.source.exact)).vms[0]
		| .error95_s.guest == 0 or .exits_by_reason != null' \
		"exact without exits by reason"
else
	says "exact mode is unavailable, sampling instead: "
	holds "$dir/out" '.[-1].vms[0] | .guest_s > 0 and .exits_by_reason == null' \
		"no exact mode and no samples"
fi
status 0 "$kvmperf" stat --by exit -i 0.5 -n 1
grep -q 'balanced to the nanosecond' "$dir/out" || fail "table by exit: no balance"

# A command: measured while it runs, once, or interval by interval.
status 0 "$kvmperf" stat -f json -- sleep 0.7
holds "$dir/out" 'length == 1 and (.[0].duration_s > 0.6 and .[0].duration_s < 5)' "sleep 0.7"
balanced "$dir/out"
status 0 "$kvmperf" stat -f json -i 0.2 -- sleep 0.7
holds "$dir/out" 'length >= 3' "sleep 0.7 in intervals"
status 0 "$kvmperf" stat -f json -- sh -c 'exit 3'
says "exited with status 3"

# Intervals follow each other without a gap.
status 0 "$kvmperf" stat -f json -i 0.2 -n 5 -o "$dir/gapless"
holds "$dir/gapless" 'length == 5 and
	([range(4) as $i | .[$i + 1].start - .[$i].start - .[$i].duration_s | fabs] | max < 0.01)' \
	"gaps between intervals"
balanced "$dir/gapless"

# Ctrl-C and SIGTERM end it with the last interval and success.
for signal in INT TERM; do
	"$kvmperf" stat -i 30 -f json -o "$dir/signal" 2>"$dir/err" &
	measure=$!
	sleep 1
	kill -$signal $measure
	wait $measure
	got=$?
	[ $got -eq 0 ] || fail "SIG$signal: exit status $got"
	holds "$dir/signal" 'length == 1 and .[0].duration_s < 10' "SIG$signal: last interval"
	balanced "$dir/signal"
done

# A VM that vanishes while it is measured.
"$kvmperf" stat -i 0.5 -f json --vm use1 -o "$dir/vanished" 2>"$dir/err" &
measure=$!
first_interval "$dir/vanished"
kill -9 "$("$kvmperf" list --vm use1 -f json | jq .pid)"
wait $measure
got=$?
[ $got -eq 0 ] || fail "vanished VM: exit status $got"
grep -q 'VM use1 has ended' "$dir/err" || fail "vanished VM: $(cat "$dir/err")"
balanced "$dir/vanished"
holds "$dir/vanished" '.[-1].vms[0].ended' "vanished VM: not marked"

stop_guests
finish
