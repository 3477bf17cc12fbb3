# SPDX-License-Identifier: GPL-2.0-or-later
set border 3 lc rgb "#444444"
set grid ytics lc rgb "#c0c0c0" lw 0.5
set tics nomirror
set key outside right top Left reverse noenhanced samplen 2
set xrange [0:]
# Curves stand a little beside each other, so that none hides the bars of another.
aside(x, curve) = x + (curve - 1.5) * 0.004 * max_rate
set datafile missing "NaN"
set linetype 1 lc rgb "#000000" pt 7 lw 2
set linetype 2 lc rgb "#1f77b4" pt 5 lw 2
set linetype 3 lc rgb "#ff7f0e" pt 9 lw 2
set linetype 4 lc rgb "#d62728" pt 11 lw 2
set linetype 5 lc rgb "#9467bd" pt 13 lw 2
