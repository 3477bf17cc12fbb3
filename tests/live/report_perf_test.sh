#!/bin/sh
# kvmperf report counts what perf counts: on recordings of perf 6.1 (a KVM host with three
# guests, see tests/golden/perf_data/README.md) the samples by mode and module, and by thread of
# each VM, are those of perf script on the same file, exactly.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh
export LC_ALL=C HOME="$dir" PERF_CONFIG=/dev/null

command -v perf >/dev/null || skip "perf is not installed"

# What a dso of perf is called: a module's path without directory and suffix, ...
awk_names='function named(dso) {
	if (dso ~ /^\[kernel\./) return "core"
	if (dso ~ /perf-vdso\.so/) return "[vdso]"
	if (dso ~ /\.ko(\.[a-z]+)?$/) {
		sub(/.*\//, "", dso); sub(/\.ko.*/, "", dso); gsub(/-/, "_", dso)
		return dso
	}
	if (dso ~ /^\[[a-z0-9_]+\]$/ && kernel) { gsub(/[][]/, "", dso); return dso }
	sub(/ \(deleted\)$/, "", dso)
	if (dso ~ /^\//) sub(/.*\//, "", dso)
	return dso
}'

# perf script -D: one line a sample, mode pid tid dso
perf_samples() {
	perf script -i "$1" -D 2>/dev/null | awk "$awk_names"'
	/PERF_RECORD_SAMPLE\(IP, 0x/ {
		mode = $0; sub(/.*\(IP, 0x/, "", mode); mode = substr(mode, 1, 1)
		ids = $0; sub(/.*\): /, "", ids); sub(/: .*/, "", ids); split(ids, id, "/")
	}
	/^ \.\.\.\.\.\. dso: / {
		dso = $0; sub(/^ \.* dso: /, "", dso)
		kernel = mode == 1
		if (mode == 4) print "guest_kernel", id[1], id[2], "-"
		else if (mode == 5) print "guest_user", id[1], id[2], "-"
		else print mode == 2 ? "user" : "kernel", id[1], id[2], named(dso)
	}'
}

# The same counts out of the JSON of kvmperf report: mode, module, samples
our_modes='[.vms[].samples, .host.samples[]] | map(to_entries[] | .key as $mode
	| if .value | type == "object" then .value | to_entries[] | [$mode, .key, .value]
	  else [$mode, "-", .value] end)
	| group_by(.[0:2]) | map("\(.[0][0]) \(.[0][1]) \(map(.[2]) | add)") | .[]'
our_threads='.vms[].threads[] | select(.samples > 0) | "\(.tid) \(.samples)"'

compare() {
	file=$1
	perf_samples "$dir/$file" >"$dir/samples"
	[ -s "$dir/samples" ] || fail "$file: perf script shows no sample"
	"$kvmperf" report -i "$dir/$file" -f json -o "$dir/report" 2>"$dir/err" ||
		fail "$file: $(cat "$dir/err")"
	balanced "$dir/report"
	awk '{ n[$1 " " $4]++ } END { for (k in n) print k, n[k] }' "$dir/samples" |
		sort >"$dir/expected"
	jq -r "$our_modes" "$dir/report" | sort >"$dir/found"
	cmp -s "$dir/expected" "$dir/found" ||
		fail "$file: samples by mode and module differ: $(diff "$dir/expected" "$dir/found" | head -6)"
	jq -r "$our_threads" "$dir/report" | sort >"$dir/found"
	jq -r '.vms[].threads[].tid' "$dir/report" >"$dir/tids"
	awk 'NR == FNR { vm[$1]; next } $3 in vm { n[$3]++ } END { for (k in n) print k, n[k] }' \
		"$dir/tids" "$dir/samples" | sort >"$dir/expected"
	cmp -s "$dir/expected" "$dir/found" ||
		fail "$file: samples by thread differ: $(diff "$dir/expected" "$dir/found" | head -6)"
	[ "$(jq '.vms | length' "$dir/report")" = 3 ] || fail "$file: not three VMs"
}

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
for name in kvm callchain zstd pipe pipe-zstd guestonly; do
	compare $name.data
done
compare_event events.data cpu-clock
compare_event events.data task-clock
compare_event mixed.data cpu-clock
finish
