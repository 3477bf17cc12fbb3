#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The experiment on a KVM host directly, which the box is: results and figures of
# all set-ups; books that do not balance end it with status 1; nothing is left,
# also when it is killed.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

# The repository is read-only here.
repo=$dir/repo
mkdir "$repo" "$dir/layer"
mount -t tmpfs tmpfs "$dir/layer" && mkdir "$dir/layer/files" "$dir/layer/work" &&
	mount -t overlay -o "lowerdir=$PWD,upperdir=$dir/layer/files,workdir=$dir/layer/work" \
		overlay "$repo" || fail "no writable repository"
mkdir -p "$repo/build/lab/box"

surroundings() {
	cat /proc/mounts
	ip -o link | cut -d : -f 2
	pgrep -fa "$repo/lab|httperf|httpd|qemu|kvmperf stat"
	ls /run /run/lab "$repo/build/lab" "$repo/build/lab/box"
}

short="--real-host experiment --rates 5 --seconds 4 --repeat 1 --max-vms 1"

experiment() {
	# shellcheck disable=SC2086
	"$repo/lab/lab" $short --output "$dir/results" "$@"
}

surroundings >"$dir/before" 2>&1
experiment --kvmperf "$kvmperf" >"$dir/log" 2>&1 || fail "the experiment failed: $(cat "$dir/log")"
result=$dir/results/results.json
holds "$result" '.[0] | (.host.emulated | not) and [.points[] | [.vms, .rate]] == [[1, 5], [0, 5]]' \
	"points: $(jq -c '[.points[] | [.vms, .rate]]' "$result")"
holds "$result" '[.[0].points[] | .unbalanced == [] and .servers[0].replies_2xx > 0] | all' \
	"no replies: $(jq -c '[.points[].servers]' "$result")"
holds "$result" '.[0].points[0].kvmperf.vms
	| map(select(.uuid == "6b766d70-6572-4f00-8000-000000000001"))[0]
	| .taps == ["tap1"] and .guest_s > 0 and .kernel_modules.kvm > 0 and .net.tx_bytes > 0' \
	"web1: $(jq -c '.points[0].kvmperf.vms' "$result")"
for figure in response_time throughput cpu_use effort_per_request; do
	[ -s "$dir/results/$figure.svg" ] && [ -s "$dir/results/$figure.png" ] || fail "no $figure"
done

# A program whose books are wrong by a millisecond: stat -f json -o FILE -- COMMAND.
cat >"$dir/miscounting" <<END
#!/bin/sh
"$PWD/$kvmperf" "\$@" && sed -i 's/"idle_s":/"idle_s":0.001,"counted_idle_s":/' "\$5"
END
chmod +x "$dir/miscounting"
experiment --kvmperf "$dir/miscounting" >"$dir/log" 2>&1
got=$?
[ $got -eq 1 ] && grep -q 'the books of 2 points do not balance' "$dir/log" ||
	fail "exit status $got for books that do not balance: $(cat "$dir/log")"

# Killed in the middle of a measurement.
# shellcheck disable=SC2086
"$repo/lab/lab" $short --output "$dir/results" --kvmperf "$kvmperf" >"$dir/log" 2>&1 &
lab=$!
timeout 120 sh -c 'until pgrep -f "[k]vmperf stat -f json" >/dev/null; do sleep 0.2; done' ||
	fail "no measurement to interrupt: $(cat "$dir/log")"
kill -KILL $lab
wait $lab 2>/dev/null
for _ in $(seq 50); do
	surroundings >"$dir/after" 2>&1
	! cmp -s "$dir/before" "$dir/after" || break
	sleep 0.2
done
cmp -s "$dir/before" "$dir/after" || fail "left: $(diff "$dir/before" "$dir/after")"

umount "$repo" "$dir/layer"
finish
