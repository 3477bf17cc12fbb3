# The table of part A: for each case the true part of the first of two VMs (%), and by how many
# points each policy is off. Input: the objects of shared_cases.sh.
# The background that is there without traffic of ours is taken off the runs.
def rate($background): .net_rx_s / .duration_s - $background;
def points($policy; $truth): (.both[$policy][0] / (.both[$policy][0] + .both[$policy][1]) - $truth) * 100;
def round2: . * 100 | round / 100;
(map(select(.background_s_per_s))[0].background_s_per_s // 0) as $background
| map(select(.direction)
    | ((.alone[0] | rate($background)) / ((.alone[0] | rate($background)) + (.alone[1] | rate($background)))) as $truth
    | . + {truth: $truth, policies: ["bytes", "packets", "affine_default", "affine", "causal"]}
    | . + {errors: [. as $case | .policies[] | . as $policy | $case | points($policy; $truth)],
           nobody: (.both.causal[2] / .both.net_rx_s * 100),
           balance: ([.both | .bytes, .packets, .affine_default, .affine, .causal | add] | map(. - 0) | (max - min))})
