#!/bin/sh
# What kvmperf report needs for a recording of ten million samples, made from real ones (two of
# the lab, and one of this host) by build/repeat_recording, against perf report, perf script piped through awk, and reading the
# file at all. perf is timed on a tenth of the samples and its time multiplied by ten: it grows
# with the samples. Needs no guests; needs 3 GB in /tmp.
# Usage: bench/report.sh BUILD [--quick]
without_guests=yes
. "$(dirname "$0")/lib.sh"
need perf xz "$build/repeat_recording" /usr/bin/time
export LC_ALL=C HOME="$dir" PERF_CONFIG=/dev/null

rounds=${quick:+1}
rounds=${rounds:-3}
samples=10000000
golden=$bench/../tests/golden/perf_data

# cost COMMAND...: the least CPU time (user and system, s) and the least wall time (s) of all
# rounds, and the most memory (MB), of a command with all its children.
cost() {
	for round in $(seq "$rounds"); do
		/usr/bin/time -o "$dir/time" -f '%U %S %e %M' "$@" >/dev/null 2>"$dir/error" ||
			die "$1 failed: $(head -n 1 "$dir/error")"
		cat "$dir/time"
	done | awk '{ s = $1 + $2; if (NR == 1 || s < least) least = s
		if (NR == 1 || $3 < wall) wall = $3
		if ($4 > most) most = $4 } END { printf "%.2f %.2f %.1f\n", least, wall, most / 1024 }'
}

row() {
	awk -v what="$1" -v name="$2" -v times="$3" -v cost="$4" -v base="$ours" 'BEGIN {
		split(cost, c, " "); split(base, b, " ")
		printf "| %s | %s | %.2f | %.2f | %.2f | %.2f | %.1f |\n", what, name, c[1] * times,
			c[1] * times / b[1], c[2] * times, c[2] * times / b[2], c[3]
	}'
}

cat <<END
| recording | command | CPU time, s | of kvmperf report's | wall time, s | of kvmperf report's | memory, MB |
|---|---|---|---|---|---|---|
END
# A recording of this host, whose programs and symbols perf finds: guests, where there can be
# some, beside short processes that read files.
record_host() {
	if [ -w /dev/kvm ]; then
		"$build/kvmload" --quiet --vms 3 --guest 3 --user 1 --kernel 1 --sleep 2 --duration 60 \
			>/dev/null 2>&1 &
	fi
	(while :; do find /usr/share -name '*.h' -exec cat {} + >/dev/null 2>&1; done) &
	reader=$!
	perf kvm --host --guest record -q -a -F 1000 -e cpu-clock -o "$dir/small" sleep 6 \
		>/dev/null 2>&1 || die "perf kvm record failed"
	kill "$reader"
	pkill -P $$ kvmload
}

for what in kvm callchain host; do
	if [ $what = host ]; then
		record_host
	else
		xz -dc "$golden/$what.data.xz" >"$dir/small" || die "cannot unpack $what.data"
	fi
	"$build/repeat_recording" "$dir/small" "$dir/large" $samples >"$dir/count" ||
		die "no large recording"
	"$build/repeat_recording" "$dir/small" "$dir/tenth" $((samples / 10)) >/dev/null ||
		die "no tenth of it"
	mebibytes=$(($(stat -c %s "$dir/large") >> 20))
	cat "$dir/large" >/dev/null
	ours=$(cost "$kvmperf" report -i "$dir/large")
	row "$what.data" "kvmperf report" 1 "$ours"
	row "$what.data" "cat (reads $mebibytes MiB)" 1 "$(cost cat "$dir/large")"
	row "$what.data" "perf report --stdio --sort comm,dso, of a tenth, x 10" 10 \
		"$(cost perf report --stdio --sort comm,dso -i "$dir/tenth")"
	row "$what.data" "perf script \\| awk, of a tenth, x 10" 10 \
		"$(cost sh -c "perf script -i $dir/tenth | awk '{ n[\$1]++ } END { for (k in n) print k, n[k] }'")"
	rm -f "$dir/large" "$dir/tenth"
done
echo
echo "Least of $rounds runs, $(cat "$dir/count") samples, the file in the page cache. perf script leaves"
echo "the guests' samples out, about half of them."
