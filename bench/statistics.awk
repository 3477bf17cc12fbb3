# Mean and 95 % confidence interval of a few values, by Student's t.

# The two-sided 95 % quantile of t: exact to 3 digits up to 30 degrees of freedom,
# then within 0.002.
function t95(df,    table) {
	split("12.706 4.303 3.182 2.776 2.571 2.447 2.365 2.306 2.262 2.228 2.201 2.179 " \
	      "2.160 2.145 2.131 2.120 2.110 2.101 2.093 2.086 2.080 2.074 2.069 2.064 " \
	      "2.060 2.056 2.052 2.048 2.045 2.042", table, " ")
	return df <= 30 ? table[df] : 1.960 + 2.5 / df
}

function mean(values, n,    i, sum) {
	for (i = 1; i <= n; i++)
		sum += values[i]
	return sum / n
}

# Half the width of the interval; needs two values.
function half_width(values, n,    i, m, squares) {
	m = mean(values, n)
	for (i = 1; i <= n; i++)
		squares += (values[i] - m) ^ 2
	return n < 2 ? 0 : t95(n - 1) * sqrt(squares / (n - 1) / n)
}

# Sorts values[1..n], for medians and extremes.
function sort(values, n,    i, j, value) {
	for (i = 2; i <= n; i++) {
		value = values[i]
		for (j = i - 1; j >= 1 && values[j] > value; j--)
			values[j + 1] = values[j]
		values[j + 1] = value
	}
}

function median(values, n) {
	sort(values, n)
	return (values[int((n + 1) / 2)] + values[int(n / 2) + 1]) / 2
}
