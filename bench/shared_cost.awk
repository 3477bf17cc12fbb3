# Pairs of windows of tagging_cost, in blocks: of each the mean of the middle half, since other
# interrupts and the hypervisor below take more than tagging does in some windows.

# The mean of the middle half of values[1..n], which gets sorted.
function middle(values, n,    i, sum, cut) {
	sort(values, n)
	cut = int(n / 4)
	for (i = cut + 1; i <= n - cut; i++)
		sum += values[i]
	return sum / (n - 2 * cut)
}

$1 && $3 {
	n++
	without[n] = $2 / $1
	more[n] = $4 / $3 - $2 / $1
	packets += $1 + $3
	pairs++
}

n == block {
	blocks++
	plain[blocks] = middle(without, n)
	tagging[blocks] = middle(more, n)
	n = 0
}

END {
	if (blocks < 2)
		exit 1
	printf "%s: %.0f ns a packet without tagging, %.0f ± %.0f more with it (%.0f packets/s, %d pairs of windows).\n",
		flow == "uplink,vma" ? "Received by a VM" : "Sent by a VM",
		mean(plain, blocks), mean(tagging, blocks), half_width(tagging, blocks),
		packets / pairs / 0.04, pairs
}
