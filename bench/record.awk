# Rows "rate tool ms/s bytes samples", both tools in each round, to a row of the table.
{
	n[$2]++
	cost[$2, n[$2]] = $3
	bytes[$2] += $4
	samples[$2] += $5
	rate = $1
}

END {
	rounds = n["kvmperf"]
	for (i = 1; i <= rounds; i++) {
		ours[i] = cost["kvmperf", i]
		theirs[i] = cost["perf", i]
	}
	printf "| %s | %d | %.1f ± %.1f | %.1f ± %.1f | %.2f | %.2f | %.0f | %.0f |\n", what,
		rate, mean(ours, rounds), half_width(ours, rounds), mean(theirs, rounds),
		half_width(theirs, rounds), mean(ours, rounds) / mean(theirs, rounds),
		samples["kvmperf"] / samples["perf"], bytes["kvmperf"] / samples["kvmperf"],
		bytes["perf"] / samples["perf"]
}
