# Shared by the tests of kvmperf report: the samples of a file by perf script and by
# kvmperf report. Source it behind tests/live/lib.sh.
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
	if (dso ~ /^<not found>/) return "[unknown]"
	if (dso ~ /perf-[0-9]+\.map$/) return "[anon]"
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
report_options=
our_threads='.vms[].threads[] | select(.samples > 0) | "\(.tid) \(.samples)"'

# Counts of "mode module count", summed where lines are alike. With $by_mode set the kernel's
# modules are left out, and interrupts are kernel work: of a recording of this boot kvmperf
# knows more.
sum_counts() {
	awk -v by_mode="${by_mode-}" '{
		if (by_mode && $1 ~ /^(kernel|softirq|hardirq)$/) { $1 = "kernel"; $2 = "-" }
		n[$1 " " $2] += $3
	} END { for (k in n) print k, n[k] }' | sort
}

# same_samples FILE: by mode and module, and by thread of each VM, exactly. The report's JSON
# stays in $dir/report, what it says in $dir/err.
same_samples() {
	file=$1
	perf_samples "$dir/$file" >"$dir/samples"
	[ -s "$dir/samples" ] || fail "$file: perf script shows no sample"
	# shellcheck disable=SC2086
	"$kvmperf" report $report_options -i "$dir/$file" -f json -o "$dir/report" 2>"$dir/err" ||
		fail "$file: $(cat "$dir/err")"
	balanced "$dir/report"
	awk '{ print $1, $4, 1 }' "$dir/samples" | sum_counts >"$dir/expected"
	jq -r "$our_modes" "$dir/report" | sum_counts >"$dir/found"
	cmp -s "$dir/expected" "$dir/found" ||
		fail "$file: samples by mode and module differ: $(diff "$dir/expected" "$dir/found" | head -6)"
	jq -r "$our_threads" "$dir/report" | sort >"$dir/found"
	jq -r '.vms[].threads[].tid' "$dir/report" >"$dir/tids"
	awk 'NR == FNR { vm[$1]; next } $3 in vm { n[$3]++ } END { for (k in n) print k, n[k] }' \
		"$dir/tids" "$dir/samples" | sort >"$dir/expected"
	cmp -s "$dir/expected" "$dir/found" ||
		fail "$file: samples by thread differ: $(diff "$dir/expected" "$dir/found" | head -6)"
}

