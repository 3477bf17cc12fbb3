#!/bin/sh
# Installs what is missing and passes all tests: builds with warnings as errors,
# checks the layout, runs unit and golden tests under ASan and UBSan, then the live
# tests on real guests: those of this machine, or where it has no KVM, in the lab;
# then the lab's own tests, end to end on its KVM host.
set -u
cd "$(dirname "$0")/.." || exit 1
scripts/setup.sh lab || exit
passed=0 failed=0 skipped=0

step() {
	printf '\n== %s\n' "$1"
}

# count STATUS NAME OUTPUT-FILE SECONDS
count() {
	if [ "$1" -ne 0 ]; then
		failed=$((failed + 1))
		echo "FAIL $2"
		grep '^FAIL' "$3"
		tail -n 40 "$3"
	elif grep -q '^SKIP' "$3"; then
		skipped=$((skipped + 1))
		echo "SKIP $2: $(grep -m 1 '^SKIP' "$3" | sed 's/^SKIP:* *//')"
	else
		passed=$((passed + 1))
		echo "ok   $2 [$4 s] $(grep -m 1 '^INFO' "$3" | sed 's/^INFO:* */(/; s/$/)/')"
	fi
}

output=$(mktemp)
box=down

end_box() {
	[ "$box" = down ] || lab/lab down
	box=down
}

finish() {
	end_box
	rm -f "$output"
}
trap finish EXIT
trap 'exit 130' INT TERM

# in_lab COMMAND...: in the lab's box, one for all tests; if it ended, in a new one
in_lab() {
	if ! lab/lab status >/dev/null 2>&1; then
		lab/lab --memory 4096 up || return
		box=up
	fi
	lab/lab run -- env KVMPERF="$KVMPERF" KVMLOAD="$KVMLOAD" EMULATED=1 \
		UBSAN_OPTIONS="$UBSAN_OPTIONS" ASAN_OPTIONS="$ASAN_OPTIONS" timeout 300 "$@"
}

# run NAME COMMAND...: a test with its output kept for when it fails; one that
# needs KVM runs in the lab where this machine has none
run() {
	name=$1 begun=$(date +%s)
	shift
	"$@" >"$output" 2>&1
	status=$?
	if [ $status -eq 0 ] && grep -q '^SKIP.*/dev/kvm' "$output"; then
		name="$name, in the lab"
		in_lab "$@" >"$output" 2>&1
		status=$?
	fi
	count $status "$name" "$output" $(($(date +%s) - begun))
}

step "build"
run "build without warnings" make --no-print-directory -s -j2 WERROR=1 tests
run "build with sanitizers" make --no-print-directory -s -j2 SANITIZE=1 WERROR=1 tests
run "layout (clang-format)" make --no-print-directory -s format-check
run "man page (mandoc -T lint)" mandoc -T lint -W warning man/kvmperf.8
if [ "$failed" -ne 0 ]; then
	printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	exit 1
fi

step "unit and golden tests, under ASan and UBSan"
export KVMPERF=build/sanitize/kvmperf KVMLOAD=build/sanitize/kvmload
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
# A test asks for more memory than there is, to be refused.
export ASAN_OPTIONS=allocator_may_return_null=1
for test in build/sanitize/tests/unit/*_test build/sanitize/tests/golden/*_test; do
	[ ! -x "$test" ] || run "${test#build/sanitize/tests/}" "$test"
done

step "fuzzing the readers of files, briefly ('make fuzz' takes half an hour)"
run "build the fuzz targets" make --no-print-directory -s -j2 fuzzers
run "fuzz targets" tests/fuzz/run build/fuzz 20

step "live tests"
export KVMPERF=build/kvmperf KVMLOAD=build/kvmload
for test in tests/live/*_test.sh; do
	run "${test#tests/}" "$test"
done

step "live tests of the programs built with ASan and UBSan"
export KVMPERF=build/sanitize/kvmperf KVMLOAD=build/sanitize/kvmload
run "sanitized live/discover_test.sh" tests/live/discover_test.sh
# Too slow for its own time limits on emulated CPUs.
[ ! -w /dev/kvm ] || run "sanitized live/stat_use_test.sh" tests/live/stat_use_test.sh

step "the lab, end to end"
end_box
for test in lab/tests/*_test.sh; do
	run "$test" "$test"
done

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
