# Exact mode against corrected sampling over the same time: $load, $truth (lines of kvmload),
# $exact and $sampled (intervals of two kvmperf that ran at once).
include "guest_truth";

def mean: add / length;
def rounded: . * 100 | round / 100;

# Of an interval: the guest's part, its error and the truth, points of one CPU.
def points:
  . as $i | ($i | known_vms($truth)) as $v | (100 / $i.duration_s) as $points
  | {guest: ($v.guest_s * $points), error95: ($v.error95_s.guest * $points),
     exits_hz: ($v.exits / $i.duration_s),
     truth: (truth($truth; $i.start; $i.start + $i.duration_s; $v.pid).guest * $points)};

[range([($exact | length), ($sampled | length)] | min)
 | {exact: ($exact[.] | select(.source.exact) | points), sampled: ($sampled[.] | points)}]
| if length == 0 then error("no interval was measured exactly") else . end
| map(.difference = .exact.guest - .sampled.guest)
| map(select((.difference | fabs) <= .exact.error95 + .sampled.error95)) as $agree
| def of($tool): map(.[$tool]) | "\(map(.guest) | mean | rounded) ± \(map(.error95) | mean | rounded)";
  def error($tool): map(.[$tool] | .guest - .truth) | "\(mean | rounded) (\(max_by(fabs) | rounded))";
  "| \($load) | \(map(.exact.exits_hz) | mean | round) | \(map(.exact.truth) | mean | rounded) | " +
  "\(of("exact")) | \(error("exact")) | \(of("sampled")) | \(error("sampled")) | " +
  "\(map(.difference) | "\(mean | rounded) (\(max_by(fabs) | rounded))") | " +
  "\($agree | length) of \(length) |"
