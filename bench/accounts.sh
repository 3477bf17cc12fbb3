#!/bin/sh
# kvmperf's accounts against guests whose composition is known (30 ms guest, 20 ms
# user, 10 ms kernel, over and over): 10 runs of 10 s with 1, 2 and 4 VMs.
# Usage: bench/accounts.sh BUILD [--quick]
. "$(dirname "$0")/lib.sh"

runs=${quick:+2}
runs=${runs:-10}
seconds=10
truth=$bench/../tests/live/truth.jq

# errors_of RUN: a line of JSON with the run's errors, the largest of all VMs.
errors_of() {
	jq -c -n --slurpfile truth "$dir/lines" --slurpfile stat "$dir/stat" -f "$truth" |
		jq -c -n --argjson run "$1" --argjson vms "$vms" --arg collector "$collector" \
			--slurpfile stat "$dir/stat" -f "$bench/accounts.jq"
}

for collector in bpf perf; do
	for vms in 1 2 4; do
		for run in $(seq "$runs"); do
			wait_quiet
			start_guests --name accuracy --vms "$vms" --guest 30 --user 20 --kernel 10 \
				--truth-interval 0.1 --truth-file "$dir/lines"
			sleep 0.3
			"$kvmperf" stat -f json -i $seconds -n 1 --collector "$collector" \
				>"$dir/stat" 2>"$dir/error" || die "kvmperf: $(head -n 1 "$dir/error")"
			sleep 0.3
			stop_guests
			errors_of "$run" || die "no truth to compare with"
		done
	done
done >"$dir/errors"

jq -rs -f "$bench/accounts_tables.jq" "$dir/errors"
