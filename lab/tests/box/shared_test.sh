#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Softirq work of a web server's packets through a real NIC's driver, the bridge and vhost:
# by every policy but none it is the server's, not its idle neighbour's.
set -u
# shellcheck source=tests/live/lib.sh
. tests/live/lib.sh

lab/guest/start --first 2 --load idle || fail "web2 did not start"
for policy in bytes packets affine causal none; do
	"$kvmperf" stat -F 199 --budget none --correction none --apportion $policy -f json -i 5 -n 1 \
		-o "$dir/$policy" 2>"$dir/err" || fail "stat failed: $(cat "$dir/err")"
	balanced "$dir/$policy"
	holds "$dir/$policy" ".[0].source.apportion == \"$policy\"" "$policy: $(cat "$dir/err")"
	# The neighbour has broadcasts.
	[ $policy = none ] || holds "$dir/$policy" '.[0].vms[0].shared_s > 0
		and .[0].vms[1].shared_s < 0.2 * .[0].vms[0].shared_s
		and (.[0].vms[0].shared_modules | has("e1000"))' \
		"$policy: $(jq -c '.vms | map([.name, .shared_s, .shared_modules])' "$dir/$policy")"
done
holds "$dir/none" 'all(.[0].vms[]; .shared_s == 0) and .[0].host.shared_unattributed_s > 0' \
	"none: $(jq -c '[.vms[].shared_s], .host' "$dir/none")"
holds "$dir/causal" '.[0].source | .tagged_s > 0 and .tagged_packets > 100' \
	"causal: $(jq -c '.source | [.tagged_s, .tagged_packets]' "$dir/causal")"
echo "INFO web1's shared work, of all: $(for policy in bytes packets affine causal; do
	jq -r --arg policy $policy '.vms[0].shared_s as $vm
		| "\($policy) \($vm / ($vm + .vms[1].shared_s + .host.shared_unattributed_s) * 100 | round) %"' \
		"$dir/$policy"
done | paste -sd ,)"
lab/guest/stop 2
finish
