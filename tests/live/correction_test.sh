#!/bin/sh
# The calibration finds what VM exits cost here, and with it guest times come closer to
# the guest's own clock than what samples say: live, and in reports of kvmperf's recordings.
. tests/live/lib.sh
need_root_and_kvm

status 0 "$kvmperf" calibrate --dry-run -f json
jq -e '.schema == "kvmperf.calibration/1" and (.vendor | startswith("kvm"))
	and .samples > 100 and .duration_s > 0
	and ([.exit_cost.kernel, .exit_cost.user, .exit_cost.interrupt]
		| all(.ns >= 0 and .error95_ns > 0))
	# What is taken for guest time is a part of the whole exit, give or take.
	and .exit_cost.kernel.ns <= .kernel_round_ns * 1.2 + .exit_cost.kernel.error95_ns
	and .exit_cost.user.ns <= .user_round_ns * 1.2 + .exit_cost.user.error95_ns' \
	"$dir/out" >/dev/null || fail "calibration: $(cat "$dir/out")"
echo "INFO $(jq -r '"\(.vendor): \(.exit_cost.kernel.ns / 100 | round / 10) us an exit to the kernel, \(.exit_cost.user.ns / 100 | round / 10) us to user space"' "$dir/out")"
status 2 "$kvmperf" calibrate --precision 0
status 2 "$kvmperf" calibrate surplus

# A kept calibration is used again; one of an hour ago, on a host that is a guest, is not.
kept=/run/kvmperf/calibration.json
when() {
	jq '.[] | select(.collector == "bpf").time' $kept
}
status 0 "$kvmperf" stat -i 0.1 -n 1
before=$(when)
status 0 "$kvmperf" stat -i 0.1 -n 1
[ "$(when)" = "$before" ] || fail "calibrated again at once"
jq 'map(.time -= 3601)' $kept >"$dir/kept" && cp "$dir/kept" $kept
old=$(when)
status 0 "$kvmperf" stat -i 0.1 -n 1
if grep -qw hypervisor /proc/cpuinfo; then
	[ "$(when)" != "$old" ] || fail "a calibration of an hour ago was used on a nested host"
else
	[ "$(when)" = "$old" ] || fail "calibrated again in the same boot"
fi

# errors_with CORRECTION: of three intervals with the guests that run.
errors_with() {
	"$kvmperf" stat -f json -i 1.5 -n 3 --budget none --correction "$1" >"$dir/stat.$1" 2>"$dir/err" ||
		fail "stat --correction $1: $(cat "$dir/err")"
}

# recorded: the same of a recording by both reports, whole, in a window and cut off.
recorded() {
	status 0 "$kvmperf" record -F 250 -i 0.5 -d 4 -o "$dir/perf.data"
	! grep 'upper bounds' "$dir/err" || fail "record: not calibrated"
	for correction in auto none; do
		status 0 "$kvmperf" report -i "$dir/perf.data" -f json -o "$dir/report.$correction" \
			--correction $correction
	done
	head -c $(($(stat -c %s "$dir/perf.data") * 4 / 5)) "$dir/perf.data" >"$dir/cut.data"
	status 0 "$kvmperf" report -i "$dir/cut.data" -f json -o "$dir/report.cut"
	status 0 "$kvmperf" report -i "$dir/perf.data" -f json -o "$dir/report.window" --time 25%-75%
	for form in csv table; do
		for rows in vm thread module symbol; do
			status 0 "$kvmperf" report -i "$dir/perf.data" -f $form --by $rows -o "$dir/$rows.$form"
		done
	done
	for correction in auto none; do
		status 0 "$kvmperf" report -i "$dir/perf.data" --folded --correction $correction \
			-o "$dir/folded.$correction"
		status 0 "$kvmperf" report -i "$dir/perf.data" --pprof --correction $correction \
			-o "$dir/pprof.$correction"
	done
}

# corrected KIND FILES: what each of them is that came of stat or report.
corrected() {
	for name in $2; do
		balanced "$dir/$name"
		case $name in
		*.none)
			holds "$dir/$name" 'all(.[]; .source.irqs_off_correction == "none"
				and (.vms[0].kernel_modules | has("kvm/world-switch") | not))' \
				"$1: $name: corrected" ;;
		*)
			holds "$dir/$name" 'all(.[]; .source.irqs_off_correction == "calibrated")' \
				"$1: $name: not corrected" ;;
		esac
		# The threads' times are corrected as the VM's are.
		holds "$dir/$name" 'all(.[].vms[]; (([.threads[].guest_s] | add) - .guest_s | fabs) < 1e-6)' \
			"$1: $name: threads do not sum to their VM"
		jq -L $here -c -n --slurpfile truth "$dir/lines" --slurpfile stat "$dir/$name" \
			-f $here/correction.jq >"$dir/errors.$name" || fail "$1: $name: no errors"
		case $name in
		*.none) ;;
		stat.*)
			jq -se 'map(.world_switch) | length == 3 and min > 1' "$dir/errors.$name" >/dev/null ||
				fail "$1: $name: nothing was moved: $(cat "$dir/errors.$name")" ;;
		*)
			jq -se 'map(.world_switch) | length > 0 and min > 0.2' "$dir/errors.$name" >/dev/null ||
				fail "$1: $name: nothing was moved: $(cat "$dir/errors.$name")" ;;
		esac
	done
}

# less_wrong KIND WITH WITHOUT: of the errors of two of these files.
less_wrong() {
	jq -e -n --slurpfile with "$dir/errors.$2" --slurpfile without "$dir/errors.$3" '
		def mean: map(.error) | add / length | fabs;
		($with | mean) < ($without | mean) / 2 + 2' >/dev/null ||
		fail "$1: $2 is not closer to the truth: $(cat "$dir/errors.$2" "$dir/errors.$3")"
	echo "INFO $1, $2: $(jq -rs 'def mean(f): map(f) | add / length * 10 | round / 10;
		"true guest \(mean(.truth)), error \(mean(.error)) of \(mean(.error95)) points"' \
		"$dir/errors.$2"), uncorrected $(jq -s 'map(.error) | add / length * 10 | round / 10' "$dir/errors.$3")"
}

# moved_in_views KIND: every view of the recording shows what was moved, and all of it.
moved_in_views() {
	moved=$(jq '.vms[0].kernel_modules["kvm/world-switch"]' "$dir/report.auto")
	for rows in module symbol; do
		awk -F, -v moved="$moved" '/kvm\/world-switch/ { n += $NF }
			END { exit !(n - moved < 1e-6 && moved - n < 1e-6) }' "$dir/$rows.csv" ||
			fail "$1: --by $rows has not the $moved s that were moved"
		grep -q 'kvm/world-switch' "$dir/$rows.table" || fail "$1: the table by $rows"
	done
	grep -q ';kernel;kvm/world-switch;kvm/world-switch [1-9]' "$dir/folded.auto" ||
		fail "$1: folded stacks show nothing that was moved"
	! grep -q 'kvm/world-switch' "$dir/folded.none" || fail "$1: folded stacks are corrected"
	awk '{ n[FILENAME] += $NF } END { for (file in n) if (sum && sum != n[file]) exit 1; else sum = n[file] }' \
		"$dir/folded.auto" "$dir/folded.none" || fail "$1: folded stacks lost samples"
	gzip -dc "$dir/pprof.auto" | grep -aq 'samples were moved from guest to kvm/world-switch' ||
		fail "$1: the profile for pprof shows nothing that was moved"
	! gzip -dc "$dir/pprof.none" | grep -aq 'kvm/world-switch' ||
		fail "$1: the profile for pprof is corrected"
}

# closer KIND EXITS-PER-SECOND
closer() {
	start_guests --guest 2 --exit "$1" --exits-per-second "$2" \
		--duration 120 --truth-interval 0.1 --truth-file "$dir/lines"
	sleep 0.5
	errors_with auto
	errors_with none
	recorded
	if emulated; then sleep 4; else sleep 1; fi
	stop_guests
	corrected "$1" "stat.auto stat.none report.auto report.none report.cut report.window"
	moved_in_views "$1"
	if emulated; then
		echo "INFO emulated CPUs: shares are not compared with the truth"
		return
	fi
	less_wrong "$1" stat.auto stat.none
	less_wrong "$1" report.auto report.none
}
closer io 20000
closer kernel 20000

# What can't be corrected is recorded all the same, and reported as it was sampled.
status 0 "$kvmperf" record -d 1 --correction none -o "$dir/perf.data"
status 0 "$kvmperf" report -i "$dir/perf.data" -f json -o "$dir/report"
holds "$dir/report" 'all(.[]; .source.irqs_off_correction == "none")' "record --correction none"
status 2 "$kvmperf" record --correction some
status 2 "$kvmperf" report --correction some
finish
