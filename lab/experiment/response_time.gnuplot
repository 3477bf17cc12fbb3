# SPDX-License-Identifier: GPL-2.0-or-later
set title "Response time against request rate\n{/*0.75 means of servers and runs; bars from the least to the most}"
set xlabel "requests/s to each server"
set ylabel "response time: connect to last byte (ms)"
set logscale y
plot timeout_ms with lines lt 1 lw 1 dt 2 title sprintf("%g s time-out", timeout_ms / 1000.0), \
	for [i = 0:count - 1] data index i using (aside($1, i)):2:3:4 with yerrorlines lt i + 1 \
		title columnheader(1)
