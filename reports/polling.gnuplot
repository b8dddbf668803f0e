# Delay and cost of polling, two panels over the polling interval. Set before: data (polling.csv of `syncline bench
# polling`), output (file), format ("png" or "svg").
if (!exists("data")) data = "polling.csv"
if (!exists("output")) output = "polling.png"
if (!exists("format")) format = "png"

if (format eq "svg") {
    set terminal svg size 1000,480 dynamic font "Helvetica,15" background rgb "white"
} else {
    set terminal pngcairo size 2000,960 font "DejaVu Sans,13" fontscale 1.7 linewidth 2 background rgb "white"
}
set output output
set datafile separator ","

blue = "#0072b2"
edge = "#8fb4cc"
grey = "#dbe6ee"

# `stats` leaves out what lies outside the ranges, so it goes first.
stats data using 1 skip 1 nooutput
x_low = STATS_min / 1.25
x_high = STATS_max * 1.25
stats data using 3 skip 1 nooutput
delay_high = STATS_max
stats data using 4 skip 1 nooutput
delay_low = STATS_min > 1 ? STATS_min : 1
stats data using 7 skip 1 nooutput
rate_low = STATS_min
rate_high = STATS_max

# One tick for each interval that was measured.
set logscale xy
set xrange [x_low:x_high]
unset mxtics
unset mytics
set grid xtics ytics linecolor rgb "#e4e4e4" linewidth 0.7
set border 3 linecolor rgb "#606060"
set tics nomirror textcolor rgb "#303030"
set xlabel "polling interval (ms)"
set key top left Left reverse samplen 2.5 spacing 1.15

set multiplot layout 1,2 margins 0.095,0.985,0.15,0.88 spacing 0.115,0

set yrange [delay_low / 1.5:delay_high * 4]
set ytics (1, 2, 5, 10, 20, 50, 100, 200, 500, "1,000" 1000, "2,000" 2000, "5,000" 5000, "10,000" 10000, \
    "20,000" 20000, "50,000" 50000)
set title "Delay: from commit to other people's devices"
set ylabel "delay (ms)" offset 1.2,0
plot data using 1:($4 > delay_low ? $4 : delay_low):3 skip 1 with filledcurves fillcolor rgb grey \
        title "5th to 95th percentile", \
    data using 1:3:xtic(1) skip 1 with lines linecolor rgb edge linewidth 1.2 notitle, \
    data using 1:2 skip 1 with linespoints linecolor rgb blue pointtype 7 linewidth 1.6 title "median"

set yrange [rate_low / 1.6:rate_high * 1.6]
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
set title "Cost: requests to the backend"
set ylabel "requests per second" offset 0.5,0
unset key
plot data using 1:7:xtic(1) skip 1 with linespoints linecolor rgb blue pointtype 7 linewidth 1.6 notitle

unset multiplot
