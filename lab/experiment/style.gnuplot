# SPDX-License-Identifier: GPL-2.0-or-later
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror
set key outside right top noenhanced
set xrange [0:]
set datafile missing "NaN"
set style data linespoints
set linetype 1 lc rgb "#000000" pt 7
set linetype 2 lc rgb "#1f77b4" pt 5
set linetype 3 lc rgb "#ff7f0e" pt 9
set linetype 4 lc rgb "#d62728" pt 11
