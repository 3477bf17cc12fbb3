# SPDX-License-Identifier: GPL-2.0-or-later
set title "CPU use of each VM: guest, VMM, and host kernel by module\n{/*0.75 own threads and the VM's share of interrupts; means of runs}"
set xlabel "VM, and requests/s to each" offset 0, -1
set bmargin 5
set ylabel "% of one CPU"
set xrange [*:*]
set yrange [0:]
set offsets 0.6, 0.6, 0, 0
set boxwidth 0.9
set style fill solid 1.0 noborder
set grid front
set xtics scale 0
load data.".gnuplot"
