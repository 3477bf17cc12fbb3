#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The box itself: commands run in it with their output, arguments and exit
# status; whatever ends it, nothing of it is left.
set -u
cd "$(dirname "$0")/../.." || exit 1

failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# Processes of the lab carry the mark in their environment.
export LAB_TEST_MARK=mark.$$.$RANDOM

marked() {
	local file args
	grep -lz "^LAB_TEST_MARK=$LAB_TEST_MARK\$" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
		args=$({ tr '\0' ' ' <"${file%environ}cmdline"; } 2>/dev/null)
		[[ ! $args =~ lab/lab|lab/box|lab/guest|lab/experiment|qemu|unshare|httperf ]] || echo "$args"
	done
}

# What a box might leave outside its namespaces; a namespace without a process
# would show as a mount.
surroundings() {
	grep -E 'lab|netns' /proc/mounts
	ip -o link | grep -o 'lab0\|br0'
	ls build/lab build/lab/box "$TMPDIR" /run/netns 2>/dev/null
}

# nothing_left WHAT: within five seconds all is as it was before the first box.
nothing_left() {
	local try
	for try in $(seq 50); do
		surroundings >"$work/after"
		if [ -z "$(marked)" ] && cmp -s "$work/before" "$work/after"; then return; fi
		sleep 0.1
	done
	fail "$1 left after $try tries: $(marked) $(diff "$work/before" "$work/after")"
}

# ended_by SIGNAL WHEN [OPTION...]: a box, started with the options, whose lab
# process gets the signal.
ended_by() {
	local pid
	# A background process of a shell ignores SIGINT; a user's does not.
	env --default-signal=INT lab/lab "${@:3}" run -- sleep 1000 >/dev/null 2>&1 &
	pid=$!
	if [ "$2" = boot ]; then
		sleep 2
	else
		timeout 180 sh -c 'until pgrep -f "[b]ox/client run sleep 1000" >/dev/null; do sleep 0.2; done'
	fi
	[ -n "$(marked)" ] || fail "no box to end by SIG$1 ($2)"
	kill -s "$1" "$pid"
	wait "$pid" 2>/dev/null
	nothing_left "SIG$1 ($2)"
}

lab/images.sh "$PWD/build/lab/cache" host guest && mkdir -p build/lab/box
surroundings >"$work/before"

# shellcheck disable=SC2016
lab/lab run -- bash -c 'echo "$1|$2"; echo error >&2; exit 7' bash 'a  b"c' "d'e\$f" \
	>"$work/out" 2>"$work/err"
status=$?
[ "$status" -eq 7 ] || fail "exit status $status, not 7: $(cat "$work/err")"
[ "$(cat "$work/out")" = "a  b\"c|d'e\$f" ] || fail "output: $(cat "$work/out")"
# A box that failed while it booted was told of there, before the one that took its place.
own=$(awk '/^lab: booting another box$/ { own = ""; next } { own = own $0 "\n" } END { printf "%s", own }' \
	"$work/err")
[ "$own" = error ] || fail "standard error: $(cat "$work/err")"
nothing_left "a command"

ended_by KILL boot
ended_by INT boot
ended_by TERM run
ended_by KILL run --guests 1 --http 5

lab/lab up || fail "lab up"
[ "$(lab/lab run -- cat /proc/sys/kernel/hostname)" = box ] || fail "lab run in a box that is up"
lab/lab up 2>/dev/null && fail "two boxes up"
(cd /usr && [ "$("$OLDPWD/lab/lab" run -- pwd)" = /usr ]) || fail "not the caller's folder"
# Interrupting a command leaves the box up, and no process of the command in it.
env --default-signal=INT lab/lab run -- sleep 1001 &
pid=$!
timeout 60 sh -c "until lab/lab run -- pgrep -x sleep >/dev/null; do sleep 0.2; done"
kill -TERM $pid
wait $pid
lab/lab run -- pgrep -f 'sleep 1001' >/dev/null && fail "the command goes on after its end"
lab/lab status >/dev/null || fail "the box is down"
lab/lab down || fail "lab down"
nothing_left "lab down"

[ "$failures" -eq 0 ] || exit 1
echo "INFO ended by KILL, INT, TERM and down: nothing left"
