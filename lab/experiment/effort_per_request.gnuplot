# SPDX-License-Identifier: GPL-2.0-or-later
set title "Hypervisor CPU for each reply"
set xlabel "requests/s for each server"
set ylabel "VMM and host kernel CPU time a reply (ms)"
set yrange [0:]
plot for [i = 0:count - 1] data index i using 1:2 lt i + 2 lw 2 title columnheader(1)
