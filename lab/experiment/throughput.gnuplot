# SPDX-License-Identifier: GPL-2.0-or-later
set title "Throughput against request rate\n{/*0.75 means of servers and runs; bars from the least to the most}"
set xlabel "requests/s to each server"
set ylabel "replies/s of each server"
set yrange [0:]
plot data index 0 using 1:1 with lines lt 1 lw 1 dt 2 title "all answered", \
	for [i = 0:count - 1] data index i using (aside($1, i)):5:6:7 with yerrorlines lt i + 1 \
		title columnheader(1)
