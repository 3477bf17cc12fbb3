#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Exact mode where kvm_entry and kvm_exit fire: exits by reason as perf counts them, accounts
# that balance, the guest's time as the samples see it, and a budget that is kept.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

# Counters of all exits and of two reasons: nested page faults and MSR accesses.
counters="-e kvm:kvm_exit
	-e kvm:kvm_exit --filter exit_reason==0x400
	-e kvm:kvm_exit --filter exit_reason==0x7c"

# One perf stat counts a little longer than kvmperf's interval, one a little less. No budget:
# under emulation an event costs microseconds.
# shellcheck disable=SC2086
perf stat -x, -a $counters -o "$dir/most" \
	"$kvmperf" stat --exact --correction none --budget 100 -F 999 -f json -o "$dir/stat" -- \
	perf stat -x, -a $counters -o "$dir/least" sleep 10 || fail "stat failed"
balanced "$dir/stat"
holds "$dir/stat" '.[0].source | .exact and .exact_duty == 1 and .exact_lost_exits == 0' \
	"exact: $(jq -c .source "$dir/stat")"

# counted FILE NUMBER: the figure of the counter at that place
counted() {
	awk -F, -v wanted="$2" '/kvm_exit/ && ++n == wanted { print $1 }' "$1"
}

# between NUMBER COUNT WHAT
between() {
	least=$(counted "$dir/least" "$1")
	most=$(counted "$dir/most" "$1")
	[ "$2" -ge "$least" ] && [ "$2" -le "$most" ] ||
		fail "$2 $3; perf counted between $least and $most"
	echo "INFO $3: $2 of $least to $most"
}
between 1 "$(jq '[.vms[].exits_by_reason[].count] | add' "$dir/stat")" exits
between 2 "$(jq '[.vms[].exits_by_reason[] | select(.reason == "npf").count] | add // 0' \
	"$dir/stat")" "npf exits"
between 3 "$(jq '[.vms[].exits_by_reason[] | select(.reason == "msr").count] | add // 0' \
	"$dir/stat")" "msr exits"
# KVM's own counters, read some milliseconds earlier, say the same.
holds "$dir/stat" '[.[0].vms[] | ([.exits_by_reason[].count] | add // 0) / (.exits + 1)
	| . > 0.97 and . < 1.03] | all' \
	"exits: $(jq -c '[.vms[] | [.exits, ([.exits_by_reason[].count] | add)]]' "$dir/stat")"
[ "$(counted "$dir/least" 1)" -gt 100 ] || fail "hardly any exits: nothing was tested"

# An exit costs no more than the vCPUs' host time, and all but what perf missed is named.
holds "$dir/stat" '[.[0].vms[] | (.vmm_s + .kernel_s) * 1.000001 >= ([.exits_by_reason[].cpu_s] | add)] | all' \
	"the exits cost more than the host time"
holds "$dir/stat" '[.[0].vms[].exits_by_reason[].reason] | index("unknown") == null' \
	"exits without a reason: $(jq -c '[.vms[].exits_by_reason[].reason]' "$dir/stat")"
holds "$dir/stat" '.[0].vms[0].error95_s.guest == 0' "the guest time has an error"
holds "$dir/stat" '[.[0].vms[].threads[] | .softirq_s + .hardirq_s] | add > 0' \
	"no interrupts in any thread"

# What samples of the same interval called guest and was host time, emulated world switches.
holds "$dir/stat" '[.[0].vms[] | (.kernel_modules["kvm/world-switch"] // 0) <= 0.05 * .total_s] | all' \
	"samples and events differ: $(jq -c '[.vms[] | .kernel_modules["kvm/world-switch"]]' "$dir/stat")"

# What exact mode's windows hold of world switches is taken out as calibrated.
"$kvmperf" calibrate >"$dir/calibration" || fail "calibrate: $(cat "$dir/calibration")"
cat "$dir/calibration"
guest_part='.vms[0] | [.guest_s / .total_s, .error95_s.guest / .total_s]'
guest() {
	"$kvmperf" stat -F 999 --budget 100 -i 3 -n 1 -f json "$@" -o "$dir/part" ||
		fail "stat $*"
	balanced "$dir/part"
	jq -c "$guest_part" "$dir/part"
}
guest --exact >"$dir/corrected"
holds "$dir/part" 'all(.[]; .source.exact and .source.irqs_off_correction == "calibrated"
	and .vms[0].error95_s.guest > 0 and .vms[0].kernel_modules["kvm/world-switch"] > 0)' \
	"exact times are not corrected: $(jq -c .source "$dir/part")"

# Both corrected, over the same time: they agree within their error bars, and 5 points more for
# what emulated CPUs' costs change meanwhile.
"$kvmperf" stat --exact -F 999 --budget 100 -i 4 -n 1 -f json -o "$dir/exactly" &
exactly=$!
sampled=$("$kvmperf" stat -F 250 --budget 100 -i 4 -n 1 -f json | jq -c "$guest_part")
wait "$exactly" || fail "stat --exact beside another"
exact=$(jq -c "$guest_part" "$dir/exactly")
echo "INFO guest part of the time and its error: exact $exact, sampled $sampled"
jq -en --argjson e "$exact" --argjson s "$sampled" \
	'($e[0] - $s[0] | fabs) <= $e[1] + $s[1] + 0.05' >/dev/null ||
	fail "guest part, corrected: exact $exact, sampled $sampled"

# The same guests once by samples alone, between two times exactly: the load varies, by as
# much as the two differ, and samples have their error. Uncorrected: both count an emulated
# world switch as guest.
before=$(guest --exact --correction none)
sampled=$(guest --correction none)
after=$(guest --exact --correction none)
echo "INFO uncorrected: exact $before, sampled $sampled, exact $after"
# Samples see what runs with interrupts off before the tracepoint as guest, too: 5 points.
jq -en --argjson a "$before" --argjson s "$sampled" --argjson b "$after" \
	'([$a[0], $b[0]] | min) - $s[1] - 0.05 <= $s[0] and
	 $s[0] <= ([$a[0], $b[0]] | max) + $s[1] + 0.05' >/dev/null ||
	fail "guest part: exact $before and $after, sampled $sampled"

# A budget that the events exceed: a part of the time, said so, and an error of its own.
"$kvmperf" stat --exact --budget 0.1 -i 4 -n 2 -f json -o "$dir/duty" || fail "stat --budget"
balanced "$dir/duty"
# It may be too small for a look in every interval.
holds "$dir/duty" 'map(select(.source.exact)) | length > 0 and
	all(.source.exact_duty < 0.9 and .source.exact_event_ns > 0)' \
	"the budget was not kept: $(jq -c .source "$dir/duty")"
holds "$dir/duty" 'all(.[]; .vms[0].error95_s.guest > 0)' "a part of the time and no error"
"$kvmperf" stat --by exit -i 1 -n 1 >"$dir/table"
grep -q 'web1  *npf' "$dir/table" || fail "no npf row: $(cat "$dir/table")"
grep -q 'balanced to the nanosecond' "$dir/table" || fail "the table: $(cat "$dir/table")"
finish
