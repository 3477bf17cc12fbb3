#!/bin/sh
# Runs all benchmarks and prints their tables in Markdown: about 45 minutes, with
# --quick about 10. Usage: bench/run.sh BUILD [--quick]
. "$(dirname "$0")/lib.sh"


section() {
	printf '\n### %s\n\nOther load before it: %s %% of one CPU.\n\n' "$2" "$(other_load)"
	"$bench/$1.sh" "$build" ${quick:+--quick} || die "$1.sh failed"
}

cat <<END
$(date -u '+%Y-%m-%d %H:%M UTC'), $("$kvmperf" --version), Linux $(uname -r), \
$(nproc) CPUs ($(awk -F ': ' '/^model name/ {print $2; exit}' /proc/cpuinfo), model \
$(awk '$1 == "model" && $2 == ":" {print $3; exit}' /proc/cpuinfo)), \
$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB, $(perf --version), \
$(pidstat -V | head -n 1)${quick:+, --quick}.
END
section slowdown "Slowdown of a guest's own work"
section scale "kvmperf's own needs"
section accounts "Guest, VMM and kernel time of known mixes"
section accuracy "Accuracy of guest time, and its cost"
section record "Recording"
section report "Reporting"
