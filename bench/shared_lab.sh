#!/bin/bash
# The error of each policy where a real NIC driver, bridge and vhost do the work: frames from
# outside come through the e1000 of the lab's box to its guests. Otherwise as part A: web1 and
# web2 are looked at, the others get the same frames in bursts of their own, few and many.
# Writes objects as shared_cases.sh does. Started by shared.sh.
# usage: shared_lab.sh BUILD SECONDS ROUNDS
set -u
bench=$(cd "$(dirname "$0")" && pwd)
repo=$(dirname "$bench")
state=$repo/build/lab/box
. "$bench/shared_lib.sh"

# In the box: says which flows are wanted, until it is ended.
announce() {
	shift
	echo "$*" >/run/share/flows.new
	mv /run/share/flows.new /run/share/flows
	exec sleep 600
}

# In the box's outer namespaces: makes the frames that are wanted.
make_traffic() {
	build=$2 flows='' sender=
	ip link add out type bridge && ip link set out up &&
		ip tuntap add gen mode tap && ip link set gen master out up &&
		ip link set lab0 master out || exit 1
	while :; do
		wanted=$(cat "$state/share/flows" 2>/dev/null)
		if [ "$wanted" != "$flows" ]; then
			[ -z "$sender" ] || { kill "$sender" && wait "$sender"; }
			flows=$wanted
			# shellcheck disable=SC2086
			"$build/tap_traffic" -s -k 20000 $flows >/dev/null &
			sender=$!
		fi
		sleep 0.05
	done
}

case ${1-} in
announce) announce "$@" ;;
traffic) make_traffic "$@" ;;
esac

build=$(realpath "$1") seconds=$2 rounds=$3
few=10 many=150
cases=$(mktemp)
commands=$repo/build/shared_lab.commands # where the box sees it
trap 'lab/lab down; rm -f "$cases" "$commands"' EXIT
trap 'exit 130' INT TERM

# flow GUEST BYTES FRAMES
flow() {
	echo "gen,52:54:00:77:01:0$1,$2,$3"
}

for sizes in "60 60" "60 1514"; do
	for frames in "75 75" "30 120"; do
		read -r size_a size_b <<<"$sizes"
		read -r frames_a frames_b <<<"$frames"
		a=$(flow 1 "$size_a" "$frames_a") b=$(flow 2 "$size_b" "$frames_b")
		# Who comes first in a burst pays for cold caches: in turn.
		turns="$(flow 3 "$size_a" $few) / $a $b / $(flow 4 "$size_b" $few)"
		turns="$turns / $(flow 5 "$size_a" $many) / $b $a / $(flow 6 "$size_b" $many)"
		write_case "$rounds" "e1000 to vhost" "$sizes" "$frames" "$few $many" \
			"$bench/shared_lab.sh announce $turns"
	done
done 3>"$cases" >"$commands"

cd "$repo" || exit 1
lab/lab --guests 6 --memory 3072 --load idle up >&2 || exit 1
nsenter -t "$(cat build/lab/box.pid)" --mount --net --pid -- "$bench/shared_lab.sh" traffic "$build" >&2 &
disown
# A guest that says nothing for five minutes is forgotten by the bridge.
# shellcheck disable=SC2016 # the box's shell
lab/lab run -- sh -c '
	for n in 1 2 3 4 5 6; do
		bridge fdb replace "52:54:00:77:01:0$n" dev "tap$n" master static || exit
	done
	exec "$1" -c -w 1.5 -t "$2" tap1 tap2 tap3 tap4 tap5 tap6 <"$3"' \
	- "$build/softirq_time" "$seconds" "$commands" | jq -c --slurpfile cases "$cases" -n \
	'[inputs] as $runs | range(0; $runs | length) | $cases[.] + {run: $runs[.]}'
