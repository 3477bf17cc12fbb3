#!/bin/sh
# 200 VMs (20 where the CPUs are emulated) start and stop, while kvmperf runs: the books balance in
# every interval, nothing is negative, what the VMs used is found (nothing lost),
# and kvmperf does not grow.
set -u
. tests/live/lib.sh
need_root_and_kvm

resident() {
	awk '/VmRSS/ {print $2}' "/proc/$1/status"
}

vms=200 lives=0.2
if emulated; then
	vms=20 lives=2
fi
"$kvmperf" stat -f json -i 1 -o "$dir/stat" 2>"$dir/err" &
measure=$!
guests="$guests $measure"
first_interval "$dir/stat"
"$kvmload" --quiet --name churn --start-stop $((vms / 5)) --duration $lives --guest 3 --user 2 --kernel 1 \
	>"$dir/truth1"
before=$(resident $measure)
"$kvmload" --quiet --name churn --start-stop $((vms * 4 / 5)) --duration $lives --guest 3 --user 2 --kernel 1 \
	>"$dir/truth2"
sleep 1.2
after=$(resident $measure)
kill -INT $measure
wait $measure || fail "kvmperf ended with status $?: $(cat "$dir/err")"
guests=

balanced "$dir/stat"
[ "$after" -le $((before + 1024)) ] || fail "grew from $before to $after kB"
[ "$after" -le 20480 ] || fail "$after kB resident"

# By the kernel's own accounting at each VM's end, with what it took to end it.
truth=$(jq -s '[.[].vms[].lifetime_cpu_s] | add' "$dir/truth1" "$dir/truth2")
found=$(jq -s '[.[].vms[] | select(.name | startswith("churn")) | .total_s] | add' "$dir/stat")
names=$(jq -s '[.[].vms[] | select(.name | startswith("churn")) | .id] | unique | length' \
	"$dir/stat")
unseen=$(jq -s '[.[].vms[] | select(.vmm == "unknown")] | length' "$dir/stat")
echo "INFO $names VMs seen, $unseen of them by samples alone; $found s of $truth s of CPU time"
jq -en "$names >= 0.975 * $vms" >/dev/null || fail "$names of $vms VMs seen"
jq -en "$found > 0.95 * $truth and $found < 1.03 * $truth" >/dev/null ||
	fail "$found s found of $truth s"
finish
