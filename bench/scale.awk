# A row of bench/scale.sh's table. Input: the times to the first figure, ms, one a
# line; then a file of: CPU seconds per second (by schedstat, by utime and stime), the
# largest resident size in MB, self_s per second, the longest self_s, lost samples.

FILENAME ~ /starts$/ {
	starts[++n] = $1
	next
}
FNR == 1 {
	schedstat = $1 * 1e3
	ticks = $2 * 1e3
}
FNR == 2 {resident = $1}
FNR == 3 {self = $1 * 1e3}
FNR == 4 {longest = $1 * 1e3}
FNR == 5 {lost = $1}

END {
	middle = median(starts, n)
	printf "| %d | kvmperf stat -f json --collector %s | %.2f | %.2f | %.2f | %.1f | %.1f | %.0f (%.0f) |\n",
	       vms, collector, self, longest, schedstat, ticks, resident, middle, starts[n]
	if (lost)
		print "kvmperf lost " lost " samples with " vms " VMs" > "/dev/stderr"
}
