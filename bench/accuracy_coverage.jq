# How many short windows' 95 % intervals hold the truth. $load, $truth, $sampled as in
# accuracy.jq.
include "guest_truth";

[$sampled[] as $i | $i | known_vms($truth) as $v
 | truth($truth; $i.start; $i.start + $i.duration_s; $v.pid) as $true
 | {error: ($v.guest_s - $true.guest), error95: $v.error95_s.guest,
    points: (100 / $i.duration_s), exits_hz: ($v.exits / $i.duration_s)}]
| (map(.error) | add / length) as $bias
| (map((.error - $bias) | . * .) | add / length | sqrt) as $spread
| (map(.error95) | add / length) as $claimed
| def rounded: . * 100 | round / 100;
  def inside($shift): map(select((.error - $shift | fabs) <= .error95)) | length;
  "\($load), \(map(.exits_hz) | add / length | round) exits/s: " +
  "\(inside(0)) of \(length) windows hold the truth " +
  "(\(inside(0) / length * 1000 | round / 10) %); mean error " +
  "\($bias * .[0].points | rounded), its spread x 1.96 " +
  "\(1.96 * $spread * .[0].points | rounded), mean half width " +
  "\($claimed * .[0].points | rounded) points; without the mean error " +
  "\(inside($bias) / length * 1000 | round / 10) %"
