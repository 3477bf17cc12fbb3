# Shared by the live tests: a temporary folder, failures that are counted, guests
# that are stopped again. Source it; end the test with `finish`.
# KVMPERF and KVMLOAD name the programs; EMULATED is set where the CPUs are.
kvmperf=${KVMPERF:-build/kvmperf}
kvmload=${KVMLOAD:-build/kvmload}
here=tests/live
dir=$(mktemp -d) || exit 1
failures=0
guests=

cleanup() {
	for pid in $guests; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

skip() {
	echo "SKIP: $*"
	exit 0
}

finish() {
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}

# Are the CPUs emulated (the lab)? They are ten times slower, and stand still when
# the machine that emulates them has other things to do. Set by scripts/check.sh.
emulated() {
	[ -n "${EMULATED-}" ]
}

need_root_and_kvm() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	[ -w /dev/kvm ] || skip "/dev/kvm is absent"
}

# start_guests OPTIONS...: kvmload in the background, returns when its guests run.
start_guests() {
	mkfifo "$dir/ready"
	"$kvmload" --quiet --ready-fd 9 "$@" >"$dir/truth.json" 2>"$dir/kvmload.err" \
		9>"$dir/ready" &
	guests="$guests $!"
	load=$!
	head -c 1 "$dir/ready" >/dev/null
	rm "$dir/ready"
}

stop_guests() {
	kill "$load" 2>/dev/null
	wait "$load" 2>/dev/null
	guests=
}

# first_interval FILE: waits until kvmperf, in the background, has measured one.
first_interval() {
	for try in $(seq 300); do
		[ ! -s "$1" ] || return
		sleep 0.1
	done
	fail "no interval in $1 after $try tries"
}

# status EXPECTED COMMAND...: the exit status must be that; output in $dir/out and
# $dir/err; the error, if there is one, must be a single line.
status() {
	expected=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" -eq "$expected" ] ||
		fail "exit status $got, not $expected: $* ($(head -n 1 "$dir/err"))"
	[ "$expected" -eq 0 ] || [ "$(wc -l <"$dir/err")" -eq 1 ] ||
		fail "not one line on standard error: $*: $(cat "$dir/err")"
}

# says PATTERN: standard error of the last status must match.
says() {
	grep -q -- "$1" "$dir/err" || fail "no '$1' in: $(cat "$dir/err")"
}

# balanced FILE: the books of all intervals must balance.
balanced() {
	[ -s "$1" ] || fail "$1 has no interval"
	wrong=$(jq -r -f "$here/balanced.jq" "$1" 2>&1 | head -n 5)
	[ -z "$wrong" ] || fail "not balanced: $wrong"
}

# holds FILE CONDITION WHAT: a jq condition on all intervals (as an array).
holds() {
	jq -es "$2" "$1" >/dev/null 2>&1 || fail "$3"
}
