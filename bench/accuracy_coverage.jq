# How many short windows' 95 % intervals hold the truth: the guest's time and what was taken of
# it below. $load, $truth, $sampled, $stolen as in accuracy.jq; each interval tells which calibration it was corrected by.
include "guest_truth";

def mean: add / length;
def deviation: mean as $m | map((. - $m) | . * .) | add / ([length - 1, 1] | max) | sqrt;
def rounded: . * 100 | round / 100;

[$sampled[] as $i | $i | known_vms($truth) as $v
 | truth($truth; $i.start; $i.start + $i.duration_s; $v.pid) as $true
 | (100 / $i.duration_s) as $points
 | ($stolen | add / length) as $part
 | {error: (($v.guest_s - $true.guest / (1 - $part)) * $points),
    strictly: (($v.guest_s - $true.guest) * $points), error95: ($v.error95_s.guest * $points),
    calibration: $i.calibration, exits_hz: ($v.exits / $i.duration_s)}]
| (group_by(.calibration) | map(map(.error) | mean)) as $of_calibrations
| map(.mean = $of_calibrations[.calibration - 1])
| map(select((.error | fabs) <= .error95)) as $inside
| "\($load), \(map(.exits_hz) | mean | round) exits/s: " +
  "\($inside | length) of \(length) windows hold the truth " +
  "(\(($inside | length) / length * 1000 | round / 10) %), " +
  "\(map(select((.strictly | fabs) <= .error95)) | length) strictly; points: taken below " +
  "\(map(.strictly - .error) | mean | rounded), mean error " +
  "\(map(.error) | mean | rounded), mean half width \(map(.error95) | mean | rounded); 1.96 x " +
  "the spread within a calibration \(map(.error - .mean) | 1.96 * deviation | rounded), of " +
  "\($of_calibrations | length) calibrations\u0027 means \($of_calibrations | 1.96 * deviation | rounded)"
