# SPDX-License-Identifier: GPL-2.0-or-later
set title "Hypervisor CPU time for each reply\n{/*0.75 of all VMs and runs; bars from the least run to the most}"
set xlabel "requests/s to each server"
set ylabel "VMM, host kernel and shared work (ms a reply)"
set yrange [0:]
plot for [i = 0:count - 1] data index i using (aside($1, i + 1)):2:3:4 with yerrorlines lt i + 2 \
	title columnheader(1)
