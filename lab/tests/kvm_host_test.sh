#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kvmperf on a KVM host with everything as modules: boots the box with a web
# server in a VM, under load through the box's NIC, and runs all of box/ in it.
# Should the emulated machine fail, that is told and tried once more; a second time
# fails the test, as does an end with a complaint of the box's kernel.
set -u
cd "$(dirname "$0")/../.." || exit 1

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs all tests in a new box. A kernel that complains fails them, too; that it
# was kept waiting (soft lockups, by others on the outer machine) is no complaint.
# shellcheck disable=SC2016
in_box() {
	lab/lab --guests 1 --http 20 run -- sh -c '
		status=0
		for test in lab/tests/box/*_test.sh; do
			echo "begins ${test##*/}"
			if "$test"; then
				echo "ok ${test##*/}"
			else
				echo "FAIL ${test##*/}"
				status=1
			fi
		done
		if dmesg | grep -v "soft lockup" | grep -E "BUG:|WARNING:|Oops|general protection"; then
			echo "FAIL the kernel complains: $(dmesg | tail -n 60)"
			status=1
		fi
		exit $status' 2>&1 | tee "$log"
	return "${PIPESTATUS[0]}"
}

in_box
status=$?
died=
if [ $status -eq 75 ] && ! grep -v 'soft lockup' "$log" | grep -qE 'Kernel panic|Oops|BUG:'; then
	died=$(sed -n 's/^begins //p' "$log" | tail -n 1)
	echo "DIED: the emulated machine ended by itself during ${died:-the start}: again in a new one"
	in_box
	status=$?
fi
passed=$(grep -c '^ok ' "$log")
[ $status -ne 0 ] || echo "INFO $passed tests in the box${died:+; THE FIRST BOX DIED during $died}"
exit $status
