# Rows of bench/slowdown.sh's table. Input: readings of the guests' progress
#   reading VM TIME STEPS CPU-SECONDS          (in rising time per VM)
# then windows
#   window ROUND VARIANT BEGIN BUSY-SECONDS END BUSY-SECONDS

$1 == "reading" {
	vm = $2
	if (!(vm in count))
		vms[++vm_count] = vm
	i = ++count[vm]
	time[vm, i] = $3
	steps[vm, i] = $4
	cpu[vm, i] = $5
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
	elapsed = $6 - $4
	done = rise(steps, $4, $6)
	used = rise(cpu, $4, $6)
	per_second[$3, $2] = done / elapsed
	per_cpu[$3, $2] = done / used
	others[$3, $2] = 100 * ($7 - $5 - used) / elapsed
}

# Slowdown against 'alone' of the same round, percent.
function slowdown(rate, variant, out,    r) {
	for (r = 1; r <= rounds; r++)
		out[r] = 100 * (1 - rate[variant, r] / rate["alone", r])
}

function with_interval(values) {
	return sprintf("%.2f ± %.2f", mean(values, rounds), half_width(values, rounds))
}

function row(variant, name,    r, rates, used, wall, own) {
	for (r = 1; r <= rounds; r++) {
		rates[r] = per_second[variant, r] / 1e6
		used[r] = others[variant, r]
	}
	slowdown(per_second, variant, wall)
	slowdown(per_cpu, variant, own)
	printf "| %s | %s | %.3f | %s | %s | %.1f |\n", workload, name, mean(rates, rounds),
	       variant == "alone" ? "" : with_interval(wall),
	       variant == "alone" ? "" : with_interval(own), mean(used, rounds)
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
