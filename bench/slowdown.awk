# Rows of bench/slowdown.sh's table. Input: readings of the guests' progress
#   reading VM TIME STEPS GUEST-SECONDS CPU-SECONDS   (in rising time per VM)
# where the guest's seconds are by its own clock, interruptions left out;
# then windows
#   window ROUND VARIANT BEGIN BUSY-SECONDS OWN-SECONDS END BUSY-SECONDS OWN-SECONDS

$1 == "reading" {
	vm = $2
	if (!(vm in count))
		vms[++vm_count] = vm
	i = ++count[vm]
	time[vm, i] = $3
	steps[vm, i] = $4
	guest[vm, i] = $5
	cpu[vm, i] = $6
}

# The value of a series at a moment, between the readings around it.
function at(series, vm, moment,    low, high, middle, share) {
	low = 1
	high = count[vm]
	if (moment < time[vm, low] || moment > time[vm, high]) {
		print "no reading of the guests at " moment > "/dev/stderr"
		exit 1
	}
	while (high - low > 1) {
		middle = int((low + high) / 2)
		if (time[vm, middle] <= moment)
			low = middle
		else
			high = middle
	}
	share = (moment - time[vm, low]) / (time[vm, high] - time[vm, low])
	return series[vm, low] + share * (series[vm, high] - series[vm, low])
}

function rise(series, begin, end,    v, sum) {
	for (v = 1; v <= vm_count; v++)
		sum += at(series, vms[v], end) - at(series, vms[v], begin)
	return sum
}

$1 == "window" {
	if ($2 > rounds)
		rounds = $2
	elapsed = $7 - $4
	used = rise(cpu, $4, $7)
	progress[$3, $2] = rise(steps, $4, $7) / elapsed
	ran[$3, $2] = rise(guest, $4, $7) / elapsed
	own[$3, $2] = 100 * ($9 - $6 - used) / elapsed
	others[$3, $2] = 100 * ($8 - $5 - $9 + $6) / elapsed
}

# Slowdown against 'alone' of the same round, percent.
function slowdown(rate, variant, out,    r) {
	for (r = 1; r <= rounds; r++)
		out[r] = 100 * (1 - rate[variant, r] / rate["alone", r])
}

function with_interval(values) {
	return sprintf("%.2f ± %.2f", mean(values, rounds), half_width(values, rounds))
}

function average(figures, variant,    r, sum) {
	for (r = 1; r <= rounds; r++)
		sum += figures[variant, r]
	return sum / rounds
}

function row(variant, name,    alone, work, time_lost) {
	alone = variant == "alone"
	slowdown(progress, variant, work)
	slowdown(ran, variant, time_lost)
	printf "| %s | %s | %.3f | %s | %s | %.2f | %.1f |\n", workload, name,
	       average(progress, variant) / 1e6, alone ? "" : with_interval(work),
	       alone ? "" : with_interval(time_lost), average(own, variant),
	       average(others, variant)
}

END {
	name["alone"] = "none"
	name["bpf"] = "kvmperf stat"
	name["perf"] = "kvmperf stat --collector perf"
	name["record"] = "perf record -a -F 250"
	name["pidstat"] = "pidstat -t 1"
	n = split(variants, list, " ")
	for (i = 1; i <= n; i++)
		row(list[i], name[list[i]])
}
