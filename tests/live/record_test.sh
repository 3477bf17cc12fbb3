#!/bin/sh
# `kvmperf record`: what it writes, perf reads without a word, with the same counts;
# all the ways in which a recording can end leave a file that perf reads.
set -u
. tests/live/record_lib.sh

# A load whose name perf must show, with threads, for as long as the test.
cat >load.sh <<'END'
while :; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; /bin/true; done
END
cp "$(command -v dash || command -v sh)" recordload
./recordload load.sh &
guests="$guests $!"
load=$!

# The basic recording: by time.
status 0 "$kvmperf" record -o basic.data -d 2
grep -v 'no VM runs' err && fail "a recording says: $(cat err)"
[ ! -s out ] || fail "a recording prints: $(head -n 1 out)"
same_counts basic.data
perf_says_nothing basic.data kvm --host --guest report --stdio
[ "$samples" -gt 200 ] || fail "basic: $samples samples"
grep -q 'recordload .*recordload' report || fail "basic: the load that ran before is not named"
grep -q '\[k\] ' report || fail "basic: no kernel symbols"
perf report --header-only -i basic.data >header 2>&1
for line in "hostname : $(uname -n)" "os release : $(uname -r)" "arch : $(uname -m)" \
	"nrcpus online" "cpudesc" "cmdline : .*record -o basic.data -d 2" "clockid: monotonic" \
	"time of first sample" "perf version : kvmperf"; do
	grep -q "$line" header || fail "basic: no '$line' in the header"
done
grep -q exclude_guest header && fail "basic: the guest is left out"
perf buildid-list -i basic.data 2>&1 | grep -q ' \[kernel.kallsyms\]' ||
	fail "basic: no build id of the kernel"
want=$(perf buildid-list -i basic.data | awk '$2 ~ /\/recordload$/ { print $1 }')
[ -n "$want" ] || fail "basic: no build id of the load"
# The times are gapless and the load's process time is in them.
jq -e '.intervals | length >= 2 and
	([range(length - 1) as $i | .[$i + 1].start_ns == .[$i].end_ns] | all)' section >/dev/null ||
	fail "basic: intervals are not gapless"
jq -e '[.intervals[] | .processes_run_ns] | add > 500000000' section >/dev/null ||
	fail "basic: the times of processes"
jq -e '.collector == "bpf"' section >/dev/null || fail "basic: times are not by BPF"

# Callchains, another frequency, the times from /proc, a command.
status 0 "$kvmperf" record -g -F 500 -o chains.data --collector perf -i 0.5 -- sleep 1.2
same_counts chains.data
grep -q '^	' perf.out || fail "no callchains with -g"
jq -e '.collector == "proc" and (.intervals | length >= 3) and
	([.intervals[].processes_run_ns] | all(. == null))' section >/dev/null ||
	fail "the times from /proc"
perf report --header-only -i chains.data | grep -q 'sample_freq } = 2000000\|sample_freq } = 500' ||
	fail "-F is not the event's period"

# What begins while it records is known by name; an older file is kept.
cp basic.data kept
mv basic.data perf.data
status 0 "$kvmperf" record -- sh -c "cp recordload laterload; timeout 1 ./laterload load.sh; true"
cmp -s perf.data.old kept || fail "the older perf.data was not kept"
same_counts perf.data
grep -q 'laterload .*laterload' report ||
	fail "a process that began later is not named"
perf buildid-list -i perf.data | grep -q '/laterload$' || fail "no build id of a later file"

# The command's status is told, and isn't ours.
status 0 "$kvmperf" record -o status.data -- sh -c 'exit 3'
says "exited with status 3"
status 1 "$kvmperf" record -o none.data -- /nonexistent/command
says "/nonexistent/command"

# A pipe.
"$kvmperf" record -o - -d 1 2>/dev/null | perf script -i - >pipe.out 2>pipe.err
[ ! -s pipe.err ] || fail "a pipe to perf script says: $(head -n 3 pipe.err)"
grep -q 'recordload' pipe.out || fail "a pipe to perf script: the load is not named"

# Signals end it well.
for signal in INT TERM; do
	"$kvmperf" record -i 30 -o signal.data >out 2>err &
	record=$!
	sleep 2
	kill -$signal $record
	wait $record
	got=$?
	[ $got -eq 0 ] || fail "SIG$signal: exit status $got"
	counts signal.data
	[ "${all:-0}" -gt 50 ] || fail "SIG$signal: $all samples"
done

# Killed, it leaves what it had written about a second before, with the intervals.
"$kvmperf" record -i 0.5 -o killed.data >out 2>err &
record=$!
for try in 1 2 3 4 5 6 7 8 9 10; do
	sleep 1
	[ "$(stat -c %s killed.data 2>/dev/null || echo 0)" -gt 300000 ] && [ "$try" -ge 4 ] && break
done
kill -KILL $record
wait $record 2>/dev/null
perf_reads killed.data
[ "$samples" -gt 100 ] || fail "killed: $samples samples"
[ "$(grep -a -c '{"schema":"kvmperf.recording/1"' killed.data)" -ge 2 ] ||
	fail "killed: no intervals in the data"

# A full disk: one line, and a file of what was written.
mkdir small
if mount -t tmpfs -o size=1m none small 2>/dev/null; then
	trap 'umount small; exit 1' INT TERM
	status 1 "$kvmperf" record -F 4000 -g -o small/perf.data -- sleep 60
	says "small/perf.data: No space left on device"
	perf_reads small/perf.data
	[ "$samples" -gt 10 ] || fail "full disk: $samples samples"
	umount small
	trap 'exit 1' INT TERM
fi
status 1 "$kvmperf" record -o /dev/full -d 1
says "/dev/full"
status 1 "$kvmperf" record -o /nonexistent/file -d 1
says "/nonexistent/file"

# Rotation: so many files, each whole, without a gap, no sample twice.
status 0 "$kvmperf" record -F 4000 -g --max-size 1500K --max-files 3 -o turn.data -d 8
ls turn.data turn.data.1 turn.data.2 >/dev/null || fail "rotation: $(echo turn.*)"
[ ! -e turn.data.3 ] || fail "rotation: more files than asked for"
last=
perf_reads turn.data.1
for file in turn.data.2 turn.data.1 turn.data; do
	counts $file
	[ "$(stat -c %s $file)" -lt 3000000 ] || fail "rotation: $file has $(stat -c %s $file) bytes"
	start=$(jq .start_ns section)
	[ -z "$last" ] || [ "$start" -eq "$last" ] || fail "rotation: a gap before $file"
	last=$(jq .end_ns section)
done
perf script -F time,cpu -i turn.data.1 2>/dev/null | sort | uniq >one
perf script -F time,cpu -i turn.data 2>/dev/null | sort | uniq >two
[ -z "$(comm -12 one two)" ] || fail "rotation: samples in two files"

# Wrong use, and a VM that isn't there.
status 2 "$kvmperf" record surplus
status 2 "$kvmperf" record --max-size 1K
status 2 "$kvmperf" record -o - --max-size 1M
status 1 "$kvmperf" record --vm no-such-vm -d 1 -o none.data
says "no-such-vm"

# Without privileges it says what is missing.
if command -v setpriv >/dev/null; then
	chmod 755 .
	install -m 755 "$kvmperf" kvmperf
	mkdir -m 777 open
	status 3 setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all \
		./kvmperf record -o open/perf.data -d 1
	[ ! -e open/perf.data ] || fail "a file was made without privileges"
fi
kill $load

[ -z "$overloaded" ] || echo "INFO: records were lost in$overloaded"
finish
