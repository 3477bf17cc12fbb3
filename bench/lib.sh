# Shared by the benchmarks: options, a temporary folder, guests that are stopped
# again, clocks, waiting for a quiet machine. Source it with the script's arguments.
# shellcheck disable=SC2034 # for the scripts
set -u

bench=$(dirname "$0")
build=${1:-}
quick=
only=
case $build in
'' | -*)
	echo "usage: $0 BUILD [--quick] [--only CASE[,CASE]...]" >&2
	echo "(BUILD: the folder of kvmperf and kvmload)" >&2
	exit 2
	;;
esac
shift
while [ $# -gt 0 ]; do
	case $1 in
	--quick) quick=yes ;;
	--only)
		only=${2:?--only takes names}
		shift
		;;
	*)
		echo "$0: unknown option '$1'" >&2
		exit 2
		;;
	esac
	shift
done

kvmperf=$build/kvmperf
kvmload=$build/kvmload
dir=$(mktemp -d) || exit 1
load=
tool=
others= # processes that make other load

stop_process() {
	[ -z "$1" ] || kill "$1" 2>/dev/null
	[ -z "$1" ] || wait "$1" 2>/dev/null
}

stop_others() {
	for other in $others; do
		stop_process "$other"
	done
	others=
}

cleanup() {
	stop_others
	stop_process "$tool"
	stop_process "$load"
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

die() {
	echo "$0: $*" >&2
	exit 1
}

need() {
	for program in "$@"; do
		command -v "$program" >/dev/null || die "$program is missing (scripts/setup.sh check)"
	done
}

[ "$(id -u)" -eq 0 ] || die "run as root"
[ -n "${without_guests:-}" ] || [ -w /dev/kvm ] || die "there is no /dev/kvm to run guests with"
need "$kvmperf" "$kvmload" jq awk pgrep

# wanted CASE: is it among those of --only?
wanted() {
	case ,${only:-$1}, in
	*,"$1",*) return 0 ;;
	*) return 1 ;;
	esac
}

# start_guests OPTIONS...: kvmload in the background as $load; returns when its
# guests run.
start_guests() {
	mkfifo "$dir/ready"
	"$kvmload" --quiet --ready-fd 9 --duration 7200 "$@" >"$dir/truth" 2>"$dir/error" \
		9>"$dir/ready" &
	load=$!
	byte=$(head -c 1 "$dir/ready" | wc -c)
	rm "$dir/ready"
	[ "$byte" -eq 1 ] || die "no guests: $(head -n 1 "$dir/error")"
}

stop_guests() {
	stop_process "$load"
	load=
}

# start_tool COMMAND...: in the background as $tool.
start_tool() {
	"$@" 2>"$dir/error" &
	tool=$!
}

# stop_tool NAME: what ends before it is told to is a failure.
stop_tool() {
	kill -0 "$tool" 2>/dev/null || die "$1 has ended: $(head -n 1 "$dir/error")"
	stop_process "$tool"
	tool=
}

wall() {
	date +%s.%N
}

# CPU seconds that all CPUs were busy since boot (steal included).
busy() {
	awk -v hz="$(getconf CLK_TCK)" \
		'$1 == "cpu" {printf "%.2f\n", ($2 + $3 + $4 + $7 + $8 + $9) / hz}' /proc/stat
}

# CPU seconds that the guests and the tool used so far.
own() {
	for pid in $load $tool ${load:+$(pgrep -P "$load")}; do
		cat "/proc/$pid/task/"*/schedstat
	done 2>/dev/null | awk '{sum += $1} END {printf "%.9f\n", sum / 1e9}'
}

# Points of one CPU that everything else on this machine uses, over 2 s.
other_load() {
	before="$(busy) $(own)"
	sleep 2
	echo "$before $(busy) $(own)" | awk '{printf "%.0f\n", ($3 - $1 - $4 + $2) / 2 * 100}'
}

# Waits until others leave the machine alone, $PATIENCE seconds at most in all.
patience=${PATIENCE:-600}
wait_quiet() {
	while [ "$patience" -gt 0 ] && [ "$(other_load)" -gt 10 ]; do
		sleep 3
		patience=$((patience - 5))
	done
}
