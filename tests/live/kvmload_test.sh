#!/bin/sh
# The fixture kvmload tells the truth, ends when it is told and leaves nothing behind.
# KVMLOAD names the program (default: build/kvmload).
set -u

kvmload=${KVMLOAD:-build/kvmload}

if ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
	echo "SKIP: /dev/kvm is absent or not ours to use"
	exit 0
fi

dir=$(mktemp -d) || exit 1
running=
failures=0

cleanup() {
	[ -z "$running" ] || kill -9 "$running" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# expect WHAT FILE JQ-CONDITION
expect() {
	jq -e "$3" "$2" >/dev/null 2>&1 || {
		fail "$1: not so: $3"
		jq -c 'del(.vms[]?.threads)' "$2" 2>&1 | head -c 2000
		echo
	}
}

# Starts kvmload in the background and returns when its guests run: sets running and vms.
start() {
	mkfifo "$dir/ready"
	"$kvmload" --quiet --ready-fd 9 "$@" >"$dir/truth" 9>"$dir/ready" &
	running=$!
	head -c 1 "$dir/ready" >/dev/null
	rm "$dir/ready"
	vms=$(pgrep -P "$running")
}

# Tells kvmload to end before its time.
stop() {
	kill -TERM "$running"
}

# Waits for kvmload; its exit status is the first argument's.
finish() {
	wait "$running"
	status=$?
	running=
	[ "$status" -eq "$1" ] || fail "$2: exit status $status instead of $1"
}

# No process of the list is there; one that nobody waits for yet may be a zombie.
expect_gone() {
	what=$1
	shift
	for pid; do
		tries=0
		while state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) &&
			[ "$state" != Z ] && [ -n "$state" ]; do
			tries=$((tries + 1))
			if [ $tries -gt 50 ]; then
				fail "$what: process $pid is left"
				break
			fi
			sleep 0.1
		done
	done
}

# Emulated CPUs (see lib.sh) need more time, and what interrupts them takes longer
# than the bursts: there the proportions tell nothing.
seconds=3 close=0.02
if [ -n "${EMULATED-}" ]; then
	seconds=15 close=0.2
fi
consistent='
	def near($a; $b; $share): ($a - $b | fabs) <= $share * $b;
	def parts: .guest_s + .user_s + .kernel_s;
	all(.vms[];
		.guest_s > 0 and .user_s > 0 and .kernel_s > 0
		and parts <= .cpu_s * 1.005
		and near(.overhead_s + parts; .cpu_s; 1e-6)
		and near([.threads[].guest_s] | add; .guest_s; 1e-6)
		and near([.threads[].user_s] | add; .user_s; 1e-6)
		and near([.threads[].kernel_s] | add; .kernel_s; 1e-6)
		and near([.threads[].cpu_s] | add; .cpu_s; '$close')
		and .cpu_s <= .lifetime_cpu_s + 0.01
		and .progress > 0 and .exits > 0 and .kvm_exits >= .exits
		and .end > .start and .killed == null)'
proportions=true
[ -n "${EMULATED-}" ] || proportions='
	all(.vms[];
		near(.guest_s; 1.5 * .user_s; 0.15)
		and near(.user_s; 2 * .kernel_s; 0.15)
		and near(parts; .cpu_s; 0.08))'

# Proportions, sums, and the kernel's own idea of guest time (field 43, in clock ticks).
start --guest 30 --user 20 --kernel 10 --duration $seconds --truth-interval 1 \
	--truth-file "$dir/intervals"
vcpu=$(grep -l '^CPU 0/KVM$' /proc/"$vms"/task/*/comm | head -n 1)
while [ "$(wc -l <"$dir/intervals")" -lt 2 ]; do
	sleep 0.05
done
gtime=$(sed 's/.*) //' "${vcpu%comm}stat" | cut -d ' ' -f 41)
finish 0 "one VM"
expect "one VM" "$dir/truth" ".vms | length == 1"
expect "one VM" "$dir/truth" "$consistent and $proportions"
expect "one VM" "$dir/truth" ".duration_s > $seconds - 0.1 and .duration_s < $seconds * 1.3"
guest=$(jq -s '.[1].vms[0].guest_s' "$dir/intervals")
hz=$(getconf CLK_TCK)
[ -n "${EMULATED-}" ] || awk -v gtime="$gtime" -v hz="$hz" -v guest="$guest" \
	'BEGIN { d = gtime / hz - guest; exit !(d > -0.25 && d < 0.25) }' ||
	fail "guest mode: the kernel counts $gtime ticks, the guest $guest s"
jq -s -e 'length >= 2 and .[1].vms[0].guest_s > .[0].vms[0].guest_s
	and .[1].vms[0].cpu_s > .[0].vms[0].cpu_s' "$dir/intervals" >/dev/null ||
	fail "intervals: $(cat "$dir/intervals")"

# The same proportions when four VMs want one CPU, the first that is ours.
cpu=$(lab/host/cpus | head -n 1)
start --guest 3 --user 2 --kernel 1 --duration $seconds --vms 4 --pin "$cpu" --name many
processes=$vms
finish 0 "four VMs"
expect "four VMs" "$dir/truth" "$consistent and $proportions"
expect "four VMs" "$dir/truth" '[.vms[].name] == ["many1", "many2", "many3", "many4"]'
expect "four VMs" "$dir/truth" '[.vms[].uuid] | unique | length == 4'
expect "four VMs" "$dir/truth" "[.vms[].cpu_s] | add < $seconds * 1.1"
expect "four VMs" "$dir/truth" "[.vms[].ready_s] | add > $seconds * 2"
expect_gone "four VMs" $processes

# Exits: as many as ordered, and KVM counts them too.
for kind in kernel cpuid; do
	"$kvmload" --quiet --guest 2 --exit $kind --kernel-exits 10 --duration 0.5 \
		>"$dir/truth" 2>"$dir/err" || {
		# On PVM with a CPU whose cpuid doesn't fault in user mode.
		[ $kind = cpuid ] && grep -q "cpuid makes no VM exit" "$dir/err" ||
			fail "exits ($kind): $(cat "$dir/err")"
		continue
	}
	expect "exits ($kind)" "$dir/truth" '.vms[0] | .kernel_exits > 100
		and (.kernel_exits / .io_exits | . > 9.5 and . < 12)
		and .kvm_exits >= .exits'
done

# Every guest's names and command line are its VMM's; the threads' roles are told.
style_names() {
	start --style "$1" --name vm --iothreads 1 --duration 60 --sleep 5
	line=$(tr '\0' ' ' <"/proc/$vms/cmdline")
	names=$(cat "/proc/$vms/task/"*/comm)
	case $line in
	$2*) ;;
	*) fail "style $1: command line $line" ;;
	esac
	echo "$names" | grep -qx "$3" || fail "style $1: no thread $3 among" $names
	stop
	finish 0 "style $1"
	expect "style $1" "$dir/truth" \
		'[.vms[0].threads[].role] == ["vmm", "vcpu", "iothread"]'
}
style_names qemu 'qemu-system-x86_64 -name guest=vm1,debug-threads=on -uuid ' 'CPU 0/KVM'
style_names qemu-nodebug 'qemu-system-x86_64 -name vm1 -uuid ' 'qemu-system-x86'
style_names firecracker 'firecracker --id vm1 ' 'fc_vcpu 0'
style_names kvmtool 'lkvm run --name vm1 ' 'kvm-vcpu-0'
style_names cloud-hypervisor 'cloud-hypervisor ' 'vcpu0'
style_names plain 'kvmload-vm --name vm1 ' 'kvmload-vm'

# Told to end: the truth so far. Killed: no VM is left. A VM killed: the others go on.
start --vms 3 --guest 1 --sleep 5 --duration 60
processes=$vms
stop
finish 0 "SIGTERM"
expect "SIGTERM" "$dir/truth" '.vms | length == 3'
expect_gone "SIGTERM" $processes

start --vms 3 --guest 1 --sleep 5 --duration 60
processes=$vms
kill -KILL "$running"
wait "$running" 2>/dev/null
running=
expect_gone "SIGKILL" $processes

start --vms 2 --guest 1 --sleep 5 --duration 60
kill -KILL $(echo "$vms" | head -n 1)
sleep 0.5
stop
finish 0 "a VM killed"
expect "a VM killed" "$dir/truth" '[.vms[].killed] | sort == [null, 9]'
expect "a VM killed" "$dir/truth" 'all(.vms[]; .lifetime_cpu_s > 0 and
	if .killed then .cpu_s == null else .cpu_s > 0 end)'

# A guest whose clock counts nothing never ends its burst; kvmload does.
start --guest 1 --gap-us 0.001 --duration 0.3
finish 0 "an endless burst"
expect "an endless burst" "$dir/truth" '.vms[0] | .guest_s < 0.01 and .guest_gap_s > 0.1'

"$kvmload" --quiet --start-stop 12 --vms 2 --duration 0.05 --guest 1 >"$dir/truth" ||
	fail "start and stop: exit status $?"
expect "start and stop" "$dir/truth" '.vms | length == 12 and all(.[]; .guest_s > 0)'

if [ -w /dev/net/tun ] && [ "$(id -u)" -eq 0 ]; then
	tap=kvl$$
	start --tap $tap --tap-packets-per-second 5000 --tap-bytes 200 --duration 60 --sleep 5
	[ -e /sys/class/net/$tap ] || fail "tap: there is no interface $tap"
	sleep 1
	stop
	finish 0 "tap"
	# An emulated CPU may not keep up.
	expect "tap" "$dir/truth" \
		".vms[0].tap | .packets > ${EMULATED:+0.1 * } 3000 and .bytes == 200 * .packets"
	[ ! -e /sys/class/net/$tap ] || fail "tap: the interface $tap is left"
else
	echo "SKIP: taps need root and /dev/net/tun"
fi

for wrong in --bogus "--guest x" --guest "--vms 0" "--guest 0" surplus; do
	"$kvmload" $wrong >"$dir/out" 2>"$dir/err"
	status=$?
	[ $status -eq 2 ] && [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" -eq 1 ] ||
		fail "'$wrong': exit status $status, $(cat "$dir/err")"
done
"$kvmload" --help | grep -q '^Usage: kvmload' || fail "--help"

[ $failures -eq 0 ] && echo "kvmload: ok"
[ $failures -eq 0 ]
