# SPDX-License-Identifier: GPL-2.0-or-later
set title "Throughput against request rate"
set xlabel "requests/s for each server"
set ylabel "replies/s of each server, mean"
set yrange [0:]
plot x lt 0 lw 1 title "all answered", \
	for [i = 0:count - 1] data index i using 1:3 lt i + 1 lw 2 title columnheader(1)
