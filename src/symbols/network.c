/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols/network.h"

#include <dirent.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Blank at both ends, so that a name can be looked up with blanks around it. */
static const char known[] =
	" net netfilter bridge br_netfilter openvswitch 8021q llc stp mrp garp ipv6 vsock "
	" tun tap veth dummy macvlan macvtap ipvlan ipvtap vxlan geneve gre ip_gre ipip sit "
	" wireguard bonding team ifb nlmon vrf failover net_failover xdp af_packet tls sctp "
	" vhost vhost_net vhost_vsock vhost_vdpa vringh virtio_net xen_netback xen_netfront "
	" hv_netvsc vmxnet3 wireless mac80211 cfg80211 phy libphy mii phylink usbnet cdc_ether "
	" e1000 e1000e igb igbvf igc ixgbe ixgbevf i40e iavf ice idpf fm10k 8139too 8139cp "
	" r8169 r8152 tg3 bnx2 bnx2x bnxt_en mlx4_core mlx4_en mlx5_core mlxsw_core ena gve "
	" sfc sfc_siena cxgb4 be2net qede qed nfp ionic atlantic enic hns3 thunderx_nic nicvf "
	" octeontx2_nicpf pcnet32 ne2k_pci forcedeth sky2 alx atl1c jme stmmac dwmac_generic "
	" mvneta mvpp2 fec genet bcmgenet liquidio hinic netdevsim ";

/* Families of modules: netfilter, traffic control, IP. */
static const char *const families[] = {
	"nf_",	"nft_", "nfnetlink", "xt_", "ip_",  "ip6",  "ipt_",    "ebt",  "arp",
	"sch_", "cls_", "act_",	     "em_", "tcp_", "udp_", "tunnel4", "xfrm", "psample"};

bool network_is_known(const char *subsystem)
{
	char padded[80];
	int length = snprintf(padded, sizeof(padded), " %s ", subsystem);

	if (length < 3 || (size_t)length >= sizeof(padded))
		return false;
	if (strstr(known, padded))
		return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		if (strncmp(subsystem, families[i], strlen(families[i])) == 0)
			return true;
	}
	return false;
}

void network_each_driver(const char *net_class, void (*visit)(void *data, const char *module),
			 void *data)
{
	DIR *directory = opendir(net_class);
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char path[PATH_MAX], target[PATH_MAX];
		int length = snprintf(path, sizeof(path), "%s/%s/device/driver/module",
				      net_class, entry->d_name);
		if (length < 0 || (size_t)length >= sizeof(path))
			continue;
		ssize_t end = readlink(path, target, sizeof(target) - 1);
		if (end <= 0)
			continue;
		target[end] = '\0';
		const char *slash = strrchr(target, '/');
		visit(data, slash ? slash + 1 : target);
	}
	if (directory)
		closedir(directory);
}
