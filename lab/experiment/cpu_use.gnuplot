# SPDX-License-Identifier: GPL-2.0-or-later
set title "CPU use of each VM: guest, VMM and host kernel by module"
set xlabel "VM, and requests/s for each"
set ylabel "% of one CPU"
set style data histograms
set style histogram rowstacked
set style fill solid 0.9 border rgb "white"
set boxwidth 0.85
set xrange [*:*]
set yrange [0:]
set xtics rotate by -90 font ",9"
set key invert reverse Left
set linetype 1 lc rgb "#2ca02c"
set linetype 2 lc rgb "#98df8a"
set linetype 3 lc rgb "#7f7f7f"
set linetype 4 lc rgb "#1f77b4"
set linetype 5 lc rgb "#d62728"
set linetype 6 lc rgb "#ff7f0e"
set linetype 7 lc rgb "#9467bd"
set linetype 8 lc rgb "#8c564b"
set linetype 9 lc rgb "#e377c2"
set linetype 10 lc rgb "#bcbd22"
set linetype 11 lc rgb "#17becf"
set linetype 12 lc rgb "#f7b6d2"
set linetype 13 lc rgb "#c7c7c7"
plot for [i = 3:count] data using i:xtic(sprintf("%d: %d/s", column(2), column(1))) \
	lt i - 2 title columnheader(i)
