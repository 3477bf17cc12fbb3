#!/bin/sh
# kvmperf record, then kvmperf report: the samples that perf script shows, and exact times; also
# of a recording that was killed, and of one that was cut off anywhere, up to the cut, with one
# warning.
set -u
# shellcheck source=tests/live/record_lib.sh
. tests/live/record_lib.sh
tests=$OLDPWD/tests/live
here=$tests
# shellcheck source=tests/live/report_lib.sh
. "$tests/report_lib.sh"
by_mode=yes

# silent and warned FILE PATTERN: what the last report said beside its figures.
silent() {
	[ ! -s err ] || fail "$1: report says: $(cat err)"
}
warned() {
	[ "$(wc -l <err)" -eq 1 ] && grep -q -- "$2" err ||
		fail "$1: not one line with '$2': $(cat err)"
}

sh -c 'while :; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; /bin/true; done' &
guests="$guests $!"

# A whole recording: the section's exact times are the report's.
status 0 "$kvmperf" record -F 500 -i 0.25 -o whole.data -d 2
same_samples whole.data
silent whole.data
section whole.data
jq -e --slurpfile section section '$section[0].intervals as $of |
	(.duration_s * 1e9 - ($of[-1].end_ns - $of[0].start_ns) | fabs) < 1000 and
	(.host.processes_s - ([$of[].processes_run_ns] | add) / 1e9 | fabs) < 0.1' \
	report >/dev/null || fail "whole: the report has not the recorded times"

# Killed: what was written until the last second.
killed_recording killed.data 0.25 8
same_samples killed.data
warned killed.data 'killed.data was not finished'
jq -e '.duration_s > 0.7 and (.host.processes_s > 0.2) and .sample_anchor == null' report \
	>/dev/null || fail "killed: exact times: $(jq -c '[.duration_s, .host.processes_s]' report)"

# Cut off: the samples up to the cut are a part of all, and grow with the file.
size=$(stat -c %s whole.data)
all=$(jq .samples section)
last=0
for part in 400 600 800 950; do
	head -c $((size * part / 1000)) whole.data >cut.data
	status 0 "$kvmperf" report -i cut.data -f json -o report
	warned "cut at $part/1000" 'cut.data is cut off'
	balanced report
	found=$(jq '[.. | objects | select(has("samples")) | .samples | numbers] | add' report)
	[ "$found" -ge "$last" ] && [ "$found" -le "$all" ] ||
		fail "cut at $part/1000: $found samples, $last in a shorter copy, $all in all"
	last=$found
done
[ "$last" -gt $((all / 2)) ] || fail "cut: $last samples of $all"
# In the sections behind the data: all samples, and the times of the records between them.
head -c $((size - 100)) whole.data >cut.data
same_samples cut.data
warned "cut in its sections" 'cut.data is cut off behind its data'
# Before the first sample there is nothing to report.
for bytes in 0 3 15 60 300 4000; do
	head -c $bytes whole.data >cut.data
	status 1 "$kvmperf" report -i cut.data
	says 'cut.data'
done
finish
