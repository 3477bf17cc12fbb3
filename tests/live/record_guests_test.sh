#!/bin/sh
# `kvmperf record` with guests, those that run (the lab's) or kvmperf's own: perf kvm
# report shows both sides, with our counts; the section has the VMs and exact times.
set -u
. tests/live/record_lib.sh
[ -w /dev/kvm ] || skip "/dev/kvm is absent"

"$kvmperf" list -f json >vms 2>/dev/null
if [ -s vms ]; then
	name=$(jq -r .name vms | head -n 1)
else
	start_guests --vms 2 --name rec --guest 3 --user 2 --kernel 1 --duration 240
	name=rec1
fi
status 0 "$kvmperf" record -F 500 -o guests.data --vm "$name" -d 5
same_counts guests.data
perf_says_nothing guests.data kvm --host --guest report --stdio -n -s sym
cp perf.out report
awk '$3 ~ /\[[gu]\]/ { g += $2 } $3 ~ /\[[k.]\]/ { h += $2 }
	END { exit !(g > 0 && h > 0) }' report || fail "guests: both sides in perf kvm"
all=$(awk '!/^#/ && $2 ~ /^[0-9]+$/ { n += $2 } END { print n + 0 }' report)
[ "$all" -eq "$(jq .samples section)" ] ||
	fail "guests: perf kvm shows $all samples of $(jq .samples section)"
jq -e --arg name "$name" '.selected == [$name] and
	([.vms[] | select(.name == $name)] | length == 1 and .[0].selected and
	 ([.[0].threads[] | select(.role == "vcpu")] | length >= 1))' section >/dev/null ||
	fail "guests: the table of VMs"
jq -e '. as $all | [.vms[].pid] as $pids | [.intervals[].tasks[] |
	select(.tgid as $t | $pids | index($t)) | .run_ns] | add > 0' section >/dev/null ||
	fail "guests: no exact times of their threads"
jq -e '[.intervals[].vms[].exits] | add > 0' section >/dev/null || fail "guests: no exits"
# By class and thread they are those of their VMs, and what they cost is there.
jq -e '[.intervals[].vms[] | select(.vcpu_exits)] | length > 0 and
	all((.vcpu_exits | map(.kernel + .user + .interrupt) | add) <= .exits) and
	(map(.vcpu_exits[] | .kernel + .user + .interrupt) | add > 0)' section >/dev/null ||
	fail "guests: exits by class"
jq -e '.calibration | .schema == "kvmperf.calibration/1" and .collector == "perf"
	and .exit_cost.user.ns > 0' section >/dev/null || fail "guests: no calibration"

# The report has the same samples by mode and by thread of each VM, and the VMs' names; also
# when the recording was killed or cut off.
here=$OLDPWD/tests/live
# shellcheck source=tests/live/report_lib.sh
. "$here/report_lib.sh"
by_mode=yes
# named_vm FILE: the report shows the VM by its name, with guest time.
named_vm() {
	jq -e --arg name "$name" '[.vms[] | select(.name == $name and .guest_s > 0)] | length == 1' \
		report >/dev/null || fail "$1: no VM $name with guest time in the report"
}
report_options=
same_samples guests.data
named_vm guests.data
head -c $(($(stat -c %s guests.data) * 4 / 5)) guests.data >cut.data
status 0 "$kvmperf" report -i cut.data -f json -o report
named_vm cut.data
killed_recording killed.data 0.5 4
same_samples killed.data
named_vm killed.data
finish
