#!/bin/sh
# The calibration finds what VM exits cost here, and with it guest times come closer to
# the guest's own clock than what samples say.
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

# errors_with CORRECTION: of three intervals with the guests that run.
errors_with() {
	"$kvmperf" stat -f json -i 1.5 -n 3 --budget none --correction "$1" >"$dir/stat.$1" 2>"$dir/err" ||
		fail "stat --correction $1: $(cat "$dir/err")"
}

# closer KIND EXITS-PER-SECOND
closer() {
	start_guests --guest 2 --exit "$1" --exits-per-second "$2" \
		--duration 120 --truth-interval 0.1 --truth-file "$dir/lines"
	sleep 0.5
	errors_with auto
	errors_with none
	if emulated; then sleep 4; else sleep 1; fi
	stop_guests
	balanced "$dir/stat.auto"
	holds "$dir/stat.auto" 'all(.[]; .source.irqs_off_correction == "calibrated")' \
		"$1: not corrected"
	holds "$dir/stat.none" 'all(.[]; .source.irqs_off_correction == "none"
		and (.vms[0].kernel_modules | has("kvm/world-switch") | not))' "$1: corrected"
	for correction in auto none; do
		jq -L $here -c -n --slurpfile truth "$dir/lines" --slurpfile stat "$dir/stat.$correction" \
			-f $here/correction.jq
	done >"$dir/errors"
	jq -se 'map(select(.correction == "calibrated") | .world_switch) | length == 3 and min > 1' \
		"$dir/errors" >/dev/null || fail "$1: nothing was moved: $(cat "$dir/errors")"
	if emulated; then
		echo "INFO emulated CPUs: shares are not compared with the truth"
		return
	fi
	jq -se '(map(select(.correction == "calibrated") | .error) | add / length) as $with
		| (map(select(.correction == "none") | .error) | add / length) as $without
		| ($with | fabs) < ($without | fabs) / 2 + 2' "$dir/errors" >/dev/null ||
		fail "$1: not closer to the truth: $(cat "$dir/errors")"
}
closer io 20000
closer kernel 20000

# The threads' times are corrected as the VM's are.
jq -es 'all(.[].vms[]; (([.threads[].guest_s] | add) - .guest_s | fabs) < 1e-6)' \
	"$dir/stat.auto" >/dev/null || fail "threads do not sum to their VM"
finish
