# Shared by the tests of kvmperf record: what perf says of a recording. Source it; the
# test goes on in the temporary folder.
. tests/live/lib.sh
[ "$(id -u)" -eq 0 ] || skip "not root"
command -v perf >/dev/null || skip "no perf"
case $kvmperf in
/*) ;;
*) kvmperf=$PWD/$kvmperf kvmload=$PWD/$kvmload ;;
esac
cd "$dir" || exit 1

# Our own count of the file's samples, and of lost records, from kvmperf's section.
section() {
	tail -c 8000000 "$1" | grep -a -o '{"schema":"kvmperf.recording/1".*}' | tail -n 1 >section
	jq -e .schema section >/dev/null && [ -s section ] || fail "$1: no section"
}

# texts FILE COUNT: waits until a recording under way has told of so many intervals.
texts() {
	for try in $(seq 240); do
		[ "$(grep -a -o '{"schema":"kvmperf.recording/1"' "$1" 2>/dev/null | wc -l)" -lt "$2" ] ||
			return
		sleep 0.25
	done
	fail "$1: fewer than $2 intervals after $try tries"
}

# killed_recording FILE INTERVAL COUNT: one that was killed after so many intervals (s).
killed_recording() {
	"$kvmperf" record -F 500 -i "$2" -o "$1" >/dev/null 2>&1 &
	record=$!
	texts "$1" "$3"
	kill -KILL $record
	wait $record 2>/dev/null
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

# counts FILE: our own count of samples, perf's is left in $all; and of lost records.
counts() {
	section "$1"
	all=$(perf report --stats -i "$1" 2>/dev/null | awk '$1 == "SAMPLE" { print $3; exit }')
	[ "$(jq .samples section)" = "$all" ] ||
		fail "$1: $(jq .samples section) samples written, $all of them for perf"
	lost=$(jq .lost section)
	[ "$lost" = 0 ] || lost=$(perf report -D -i "$1" 2>/dev/null |
		sed -n 's/.*PERF_RECORD_LOST.*lost:* *//p' | awk '{ n += $1 } END { print n + 0 }')
	[ "$(jq .lost section)" = "$lost" ] ||
		fail "$1: $(jq .lost section) lost written, perf shows $lost"
}

# same_counts FILE: all that perf shows. Samples of guests are in perf's statistics and in
# perf kvm alone.
same_counts() {
	counts "$1"
	perf_reads "$1"
	[ "$samples" = "$reported" ] ||
		fail "$1: perf script shows $samples samples, perf report $reported"
	[ "$samples" = "$all" ] || [ -w /dev/kvm ] ||
		fail "$1: perf script shows $samples samples of $all"
}
