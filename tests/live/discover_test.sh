#!/bin/sh
# Discovery on real guests: BPF and /proc tell the same, and both the truth of kvmload; QEMU is
# seen under its name; each source works with just its capabilities.
# KVMPERF and KVMLOAD name the programs (default: those in build/).
set -u

kvmperf=${KVMPERF:-build/kvmperf}
kvmload=${KVMLOAD:-build/kvmload}

if [ "$(id -u)" -ne 0 ]; then
	echo "SKIP: needs root"
	exit 0
fi
if ! [ -w /dev/kvm ]; then
	echo "SKIP: there is no /dev/kvm"
	exit 0
fi

dir=$(mktemp -d) || exit 1
prefix=disc$$
running=
failures=0

cleanup() {
	for pid in $running; do
		kill -9 "$pid" 2>/dev/null
	done
	ip link del "tap$$" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# expect WHAT FILE JQ-CONDITION: of all objects of the file, as an array
expect() {
	jq -se "$3" "$2" >/dev/null 2>&1 || {
		fail "$1: not so: $3"
		head -c 2000 "$2"
	}
}

# start NAME OPTION...: runs kvmload until it is told to end; its truth goes to NAME.truth
start() {
	name=$1
	shift
	mkfifo "$dir/ready"
	"$kvmload" --quiet --ready-fd 9 --name "$name" --duration 600 "$@" \
		>"$dir/$name.truth" 9>"$dir/ready" &
	running="$running $!"
	head -c 1 "$dir/ready" >/dev/null
	rm "$dir/ready"
}

# The VMs of this test, as a source tells them
list() {
	"$kvmperf" list --source "$1" -f json | jq -c "select(.name | startswith(\"$prefix\"))"
}

bpf=yes
if ! "$kvmperf" list --source bpf -f json >/dev/null 2>"$dir/why"; then
	echo "INFO: without BPF: $(cat "$dir/why")"
	bpf=no
fi

# All at once: names of each VMM's style, one VM without telling thread names
ip tuntap add "tap$$" mode tap 2>/dev/null && ip link set "tap$$" up
start "${prefix}q" --vms 2 --vcpus 2 --iothreads 1 --guest 2 --sleep 20
start "${prefix}t" --tap "tap$$" --guest 2 --sleep 20
start "${prefix}n" --style qemu-nodebug --guest 30 --sleep 10
start "${prefix}f" --style firecracker --vcpus 2 --guest 2 --sleep 20
start "${prefix}k" --style kvmtool --guest 2 --sleep 20
start "${prefix}c" --style cloud-hypervisor --guest 2 --sleep 20
sleep 1.5

sources=proc
[ "$bpf" = no ] || sources="bpf proc"
for source in $sources; do
	list "$source" >"$dir/$source"
	expect "$source" "$dir/$source" "length == 7 and ([.[].pid] | unique | length) == 7"
	expect "$source" "$dir/$source" "map(select(.name == \"${prefix}q2\"))[0] |
		.vcpus == 2 and .vmm == \"qemu\" and .taps == [] and (.uuid | length) == 36 and
		.id == .uuid"
	expect "$source" "$dir/$source" "map(select(.name == \"${prefix}t1\"))[0].taps == [\"tap$$\"]"
	expect "$source" "$dir/$source" "all(.[]; .vcpus == ([.threads[] |
		select(.role == \"vcpu\" and .index != null)] | length))"
done
if [ "$bpf" = yes ]; then
	jq -S 'del(.exits, .halt_poll_s)' "$dir/bpf" >"$dir/bpf.same"
	jq -S 'del(.exits, .halt_poll_s)' "$dir/proc" >"$dir/proc.same"
	diff -u "$dir/bpf.same" "$dir/proc.same" >"$dir/diff" || {
		fail "BPF and /proc differ:"
		cat "$dir/diff"
	}
	expect "proc knows no exits" "$dir/proc" 'all(.[]; .exits == null and .halt_poll_s == null)'
	expect "bpf knows exits" "$dir/bpf" 'all(.[]; .exits > 0 and .halt_poll_s >= 0)'
	list bpf >"$dir/later"
	jq -se '(.[0:7] | map({(.name): .exits}) | add) as $before |
		all(.[7:][]; .exits >= $before[.name]) and any(.[7:][]; .exits > $before[.name])' \
		"$dir/bpf" "$dir/later" >/dev/null || fail "exits don't rise"
fi

# --vm by name, pid and uuid; an unknown one
pid=$(jq -r "select(.name == \"${prefix}q1\").pid" "$dir/proc")
uuid=$(jq -r "select(.name == \"${prefix}q1\").uuid" "$dir/proc")
for selector in "${prefix}q1" "$pid" "$uuid"; do
	"$kvmperf" list --vm "$selector" -f csv -o "$dir/csv" || fail "--vm $selector: exit $?"
	[ "$(tail -n +2 "$dir/csv" | cut -d, -f1,3)" = "${prefix}q1,$pid" ] || fail "--vm $selector"
done
"$kvmperf" list --vm no-such-vm 2>"$dir/error"
[ $? -eq 1 ] || fail "unknown --vm: exit status"
[ "$(wc -l <"$dir/error")" -eq 1 ] || fail "unknown --vm: not one line"
"$kvmperf" list --vm "$pid" -o /dev/full 2>"$dir/error"
[ $? -eq 1 ] || fail "full output: exit status"
"$kvmperf" list --no-such-option 2>"$dir/error"
[ $? -eq 2 ] || fail "unknown option: exit status"
"$kvmperf" list | awk 'length > 80 { bad = 1 } END { exit bad }' || fail "wider than 80 columns"

# Just the capabilities that each source needs
cp "$kvmperf" "$dir/kvmperf" && chmod 755 "$dir" "$dir/kvmperf"
as_user() {
	capabilities=$1
	shift
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
		--inh-caps="-all$capabilities" --ambient-caps="-all$capabilities" \
		"$dir/kvmperf" "$@"
}
if ! command -v setpriv >/dev/null; then
	echo "INFO: capabilities not tested: no setpriv"
else
	if [ "$bpf" = yes ]; then
		as_user ,+bpf,+perfmon,+syslog list --source bpf -f json >"$dir/out" 2>&1 ||
			fail "bpf with CAP_BPF, CAP_PERFMON, CAP_SYSLOG: $(cat "$dir/out")"
		expect "capabilities of bpf" "$dir/out" "any(.[]; .name == \"${prefix}q1\")"
	fi
	as_user ,+sys_ptrace,+dac_read_search list --source proc -f json >"$dir/out" 2>&1 ||
		fail "proc with CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH: $(cat "$dir/out")"
	expect "capabilities of proc" "$dir/out" "any(.[]; .name == \"${prefix}q1\")"
	as_user '' list >"$dir/out" 2>"$dir/error"
	[ $? -eq 3 ] || fail "without capabilities: exit status"
	grep -q CAP_SYS_PTRACE "$dir/error" || fail "without capabilities: $(cat "$dir/error")"
	[ "$(wc -l <"$dir/error")" -eq 1 ] || fail "without capabilities: not one line"
fi

# The truth of kvmload: every thread, with role, index and name
for pid in $running; do
	kill -TERM "$pid"
done
wait
running=
for truth in "$dir"/*.truth; do
	jq -c '.vms[] | {name, pid, uuid, threads: [.threads[] | {tid, role, name, index:
		(if .role == "vcpu" then .index else null end)}] | sort_by(.tid)}' "$truth"
done | jq -s -S 'sort_by(.name)' >"$dir/truth"
for source in $sources; do
	# kernel threads and those that KVM adds to the VMM are not known to kvmload
	jq -c '{name, pid, uuid, threads: [.threads[] | select(.role != "kvm")] | sort_by(.tid)}' \
		"$dir/$source" | jq -s -S 'sort_by(.name)' |
		diff -u "$dir/truth" - >"$dir/diff" || {
		fail "$source differs from the truth:"
		head -n 60 "$dir/diff"
	}
done
list proc >"$dir/out"
expect "ended VMs" "$dir/out" 'length == 0'

# QEMU, paused: no vCPU has run yet
if command -v qemu-system-x86_64 >/dev/null; then
	qemu-system-x86_64 -accel kvm -S -nodefaults -nographic -monitor none -serial none \
		-smp 2 -m 32 -name "guest=$prefix,,x,debug-threads=on" >"$dir/qemu" 2>&1 &
	running=$!
	for source in $sources; do
		for attempt in 1 2 3 4 5 6 7 8 9 10; do
			list "$source" >"$dir/$source"
			[ "$(jq '.threads[] | select(.role == "vcpu").index' "$dir/$source" |
				wc -l)" -eq 2 ] && break
			sleep 0.2
		done
		expect "$source: QEMU after $attempt" "$dir/$source" "length == 1 and (.[0] |
			.name == \"$prefix,x\" and .pid == $running and .vmm == \"qemu\" and
			.vcpus == 2 and ([.threads[] | select(.role == \"vcpu\").index] == [0, 1]))"
	done
	kill "$running"
	wait "$running" 2>/dev/null
	running=
else
	echo "INFO: without QEMU"
fi

[ "$failures" -eq 0 ]
