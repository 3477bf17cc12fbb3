#!/bin/sh
# kvmperf report counts what perf counts: on recordings of perf 6.1 (a KVM host with three
# guests, see tests/golden/perf_data/README.md) the samples by mode and module, and by thread of
# each VM, are those of perf script on the same file, exactly.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh
# shellcheck source=tests/live/report_lib.sh
. tests/live/report_lib.sh

# With several events perf script names the event of each line; guests' samples it leaves out.
compare_event() {
	file=$1 event=$2
	perf script -i "$dir/$file" -G -F event,ip,dso 2>/dev/null | awk "$awk_names"'
		$1 == event ":" {
			dso = $0; sub(/^[^(]*\(/, "", dso); sub(/\)$/, "", dso)
			kernel = $2 ~ /^ffff/
			n[(kernel ? "kernel " : "user ") named(dso)]++
		}
		END { for (k in n) print k, n[k] }' event="$event" | sort >"$dir/expected"
	[ -s "$dir/expected" ] || fail "$file: perf script shows no sample of $event"
	"$kvmperf" report -i "$dir/$file" -e "$event" -f json -o "$dir/report" 2>/dev/null ||
		fail "$file: report fails"
	balanced "$dir/report"
	jq -r "$our_modes" "$dir/report" | grep -v '^guest' | sort >"$dir/found"
	cmp -s "$dir/expected" "$dir/found" ||
		fail "$file, $event: samples differ: $(diff "$dir/expected" "$dir/found" | head -6)"
}

for file in tests/golden/perf_data/*.data.xz; do
	name=${file##*/}
	xz -dc "$file" >"$dir/${name%.xz}" || fail "cannot unpack $file"
done
for name in kvm callchain zstd pipe pipe-zstd guestonly i386; do
	# The kernel of i386.data is that of the machines on which the tests run.
	by_mode=
	[ $name != i386 ] || by_mode=yes
	same_samples $name.data
	[ "$(jq '.vms | length' "$dir/report")" = 3 ] || fail "$name.data: not three VMs"
	# perf counts no exits.
	holds "$dir/report" 'all(.[]; .source.irqs_off_correction == "none")' \
		"$name.data: guest times are corrected"
done
compare_event events.data cpu-clock
compare_event events.data task-clock
compare_event mixed.data cpu-clock

# What the perf that is installed writes of this machine.
if [ "$(id -u)" -eq 0 ]; then
	by_mode=yes
	sh -c 'while :; do i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; /bin/true; done' &
	guests="$guests $!"
	perf record -q -a -e cpu-clock -F 500 -g -z --namespaces --switch-events \
		-o "$dir/live.data" -- sleep 1 2>"$dir/err" || fail "perf record: $(cat "$dir/err")"
	same_samples live.data
	perf record -q -a -e cpu-clock -F 500 -o - -- sleep 1 >"$dir/live-pipe.data" \
		2>"$dir/err" || fail "perf record -o -: $(cat "$dir/err")"
	same_samples live-pipe.data
fi
finish
