#!/bin/sh
# `kvmperf record`: what it writes, perf reads without a word, with the same counts;
# all the ways in which a recording can end leave a file that perf reads.
set -u
. tests/live/lib.sh
[ "$(id -u)" -eq 0 ] || skip "not root"
command -v perf >/dev/null || skip "no perf"
case $kvmperf in
/*) ;;
*) kvmperf=$PWD/$kvmperf ;;
esac
cd "$dir" || exit 1

# Our own count of the file's samples, and of lost records, from kvmperf's section.
section() {
	tail -c 8000000 "$1" | grep -a -o '{"schema":"kvmperf.recording/1".*}' | tail -n 1 >section
	jq -e . section >/dev/null || fail "$1: no section"
}

# perf_says_nothing FILE COMMAND...: perf ends well and without a word, but for records
# that were lost, which a busy machine may make of any recording.
perf_says_nothing() {
	file=$1
	shift
	perf "$@" -i "$file" >perf.out 2>perf.err || fail "$file: perf $*: status $?"
	grep -v -e '^Warning:$' -e '^Processed .* lost .* chunks!$' -e '^Check IO/CPU overload!$' \
		-e '^$' perf.err >perf.words
	[ ! -s perf.words ] || fail "$file: perf $* says: $(head -n 3 perf.words)"
	[ ! -s perf.err ] || [ -s perf.words ] || overloaded="$overloaded $file"
}
overloaded=

# perf_reads FILE: report and script; the samples as they show them are left in $samples
# and $reported.
perf_reads() {
	perf_says_nothing "$1" report --stdio --no-children -g none -n -s comm,dso,sym
	reported=$(awk '!/^#/ && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' perf.out)
	cp perf.out report
	perf_says_nothing "$1" script
	# A callchain's frames are lines that begin with a tab.
	samples=$(grep -v -c -e '^	' -e '^$' perf.out)
}

# same_counts FILE: the samples of perf report, perf script and of our own count.
same_counts() {
	perf_reads "$1"
	section "$1"
	[ "$(jq .samples section)" -eq "$samples" ] ||
		fail "$1: $(jq .samples section) samples written, perf script shows $samples"
	# The guests' are in perf kvm report alone.
	[ "$reported" -eq "$samples" ] || [ -w /dev/kvm ] ||
		fail "$1: perf report shows $reported samples of $samples"
	lost=$(perf report -D -i "$1" 2>/dev/null | sed -n 's/.*PERF_RECORD_LOST.*lost:* *//p' |
		awk '{ n += $1 } END { print n + 0 }')
	[ "$(jq .lost section)" -eq "$lost" ] ||
		fail "$1: $(jq .lost section) lost written, perf shows $lost"
}

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
same_counts status.data
status 1 "$kvmperf" record -o none.data -- /nonexistent/command
says "/nonexistent/command"

# A pipe.
for command in "report --stdio" "script"; do
	"$kvmperf" record -o - -d 1 2>/dev/null | perf $command -i - >pipe.out 2>pipe.err
	[ ! -s pipe.err ] || fail "pipe, perf $command says: $(head -n 3 pipe.err)"
	grep -q 'recordload' pipe.out || fail "pipe, perf $command: the load is not named"
done

# Signals end it well.
for signal in INT TERM; do
	"$kvmperf" record -i 30 -o signal.data >out 2>err &
	record=$!
	sleep 2
	kill -$signal $record
	wait $record
	got=$?
	[ $got -eq 0 ] || fail "SIG$signal: exit status $got"
	same_counts signal.data
	[ "$samples" -gt 50 ] || fail "SIG$signal: $samples samples"
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
	status 1 "$kvmperf" record -F 4000 -g -o small/perf.data -- sleep 60
	says "small/perf.data: No space left on device"
	perf_reads small/perf.data
	[ "$samples" -gt 10 ] || fail "full disk: $samples samples"
	umount small
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
for file in turn.data.2 turn.data.1 turn.data; do
	same_counts $file
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

# Guests: kvmperf's own, or the lab's.
if [ -w /dev/kvm ] && "$kvmperf" list -f json >vms 2>/dev/null; then
	if [ ! -s vms ]; then
		cd - >/dev/null || exit 1
		start_guests --vms 2 --name rec --guest 3 --user 2 --kernel 1 --duration 60
		cd "$dir" || exit 1
		name=rec1
	else
		name=$(jq -r .name vms | head -n 1)
	fi
	status 0 "$kvmperf" record -F 500 -o guests.data --vm "$name" -d 5
	same_counts guests.data
	perf_says_nothing guests.data kvm --host --guest report --stdio -n -s sym
	cp perf.out report
	awk '$3 ~ /\[[gu]\]/ { g += $2 } $3 ~ /\[[k.]\]/ { h += $2 }
		END { exit !(g > 0 && h > 0) }' report || fail "guests: both sides in perf kvm"
	all=$(awk '!/^#/ && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' report)
	[ "$all" -eq "$samples" ] || fail "guests: perf kvm shows $all samples of $samples"
	jq -e --arg name "$name" '.selected == [$name] and
		([.vms[] | select(.name == $name)] | length == 1 and .[0].selected and
		 ([.[0].threads[] | select(.role == "vcpu")] | length >= 1))' section >/dev/null ||
		fail "guests: the table of VMs"
	jq -e '. as $all | [.vms[].pid] as $pids | [.intervals[].tasks[] |
		select(.tgid as $t | $pids | index($t)) | .run_ns] | add > 0' section >/dev/null ||
		fail "guests: no exact times of their threads"
	jq -e '[.intervals[].vms[].exits] | add > 0' section >/dev/null || fail "guests: no exits"
else
	echo "INFO: no /dev/kvm: recorded without guests"
fi
[ -z "$overloaded" ] || echo "INFO: records were lost in$overloaded"
finish
