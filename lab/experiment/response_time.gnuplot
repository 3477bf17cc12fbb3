# SPDX-License-Identifier: GPL-2.0-or-later
set title "Response time against request rate"
set xlabel "requests/s for each server"
set ylabel "connect to last byte, mean of the answered (ms)"
set logscale y
plot for [i = 0:count - 1] data index i using 1:2 lt i + 1 lw 2 title columnheader(1)
